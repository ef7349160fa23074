//! Tables of the catalog: being written.
/// Partitions of a tenant's products.
pub const SHELVES: u32 = 16;
