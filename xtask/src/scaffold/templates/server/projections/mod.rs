//! What is read of __name__.

mod __name__;

pub use __name__::__Name__Rows;
