//! Tables of the cart: being written.
