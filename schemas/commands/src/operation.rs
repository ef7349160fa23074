//! The table role × operation: who may ask for what.

use feira_ids::Role;

/// Something that can be asked of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, as in fingerprints and traces: `cart.add_item`.
    pub name: &'static str,
    /// The kind of aggregate that answers.
    pub kind: &'static str,
    /// Who may ask. A consumer may only ask of what is their own: the aggregate's key is the caller's id.
    pub roles: &'static [Role],
}

const SHOPPERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Service];
const KEEPERS: &[Role] = &[Role::Admin, Role::Service];

/// Every operation there is.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "catalog.put", kind: "product", roles: KEEPERS },
    Operation { name: "catalog.set_price", kind: "product", roles: KEEPERS },
    Operation { name: "catalog.withdraw", kind: "product", roles: KEEPERS },
    Operation { name: "cart.add_item", kind: "cart", roles: SHOPPERS },
    Operation { name: "cart.set_quantity", kind: "cart", roles: SHOPPERS },
    Operation { name: "cart.remove_item", kind: "cart", roles: SHOPPERS },
    Operation { name: "cart.set_note", kind: "cart", roles: SHOPPERS },
    Operation { name: "cart.undo", kind: "cart", roles: SHOPPERS },
];

/// The operation called `name`.
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}
