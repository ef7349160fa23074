//! The table role × operation: who may ask for what.

use feira_ids::Role;

/// Something that can be asked of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, as in fingerprints and traces: `cart.add_item`.
    pub name: &'static str,
    /// The kind of aggregate that answers.
    pub kind: &'static str,
    /// Who may ask. Whoever holds only the role of a consumer may ask only of what is their own.
    pub roles: &'static [Role],
    /// Whose aggregate it is asked of.
    pub reach: Reach,
}

/// Whose aggregate an operation is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One of the business that the caller acts for.
    Tenant,
    /// One of the platform's own, such as a ledger shard: the caller may be of any business or of none, and unless it
    /// runs the platform or is a part of it, asks only of what is its own.
    Platform,
}

const SHOPPERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Service];
const KEEPERS: &[Role] = &[Role::Admin, Role::Service];
const SETTERS: &[Role] = &[Role::Admin, Role::Operator];
const REVIEWERS: &[Role] = &[Role::Operator, Role::Service];
const CUSTOMERS: &[Role] = &[Role::Consumer, Role::Service];
const WRITERS: &[Role] = &[Role::Agent, Role::Admin, Role::Service];
const BILLERS: &[Role] = &[Role::Admin, Role::Operator, Role::Service];
const SERVICES: &[Role] = &[Role::Service];
const OPERATORS: &[Role] = &[Role::Operator];
const FUNDERS: &[Role] = &[Role::Operator, Role::Service];
const PAYERS: &[Role] = &[Role::Consumer, Role::Service];

/// Every operation there is.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "catalog.put", kind: "product", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "catalog.set_price", kind: "product", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "catalog.withdraw", kind: "product", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "cart.add_item", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.set_quantity", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.remove_item", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.set_note", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.undo", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.checkout", kind: "cart", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "cart.complete_checkout", kind: "cart", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "cart.fail_checkout", kind: "cart", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.place", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.stock_held", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.stock_refused", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.payment_refused", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.paid", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.stock_taken", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.stock_lost", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.time_out", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.cancel", kind: "order", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "order.advance", kind: "order", roles: WRITERS, reach: Reach::Tenant },
    Operation { name: "order.refunded", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "order.refund_failed", kind: "order", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "stock.set", kind: "stock", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "stock.reserve", kind: "stock", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "stock.commit", kind: "stock", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "stock.release", kind: "stock", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "stock.return", kind: "stock", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "stock.expire", kind: "stock", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "conversation.register_business", kind: "business", roles: SETTERS, reach: Reach::Tenant },
    Operation { name: "conversation.set_profile", kind: "business", roles: SETTERS, reach: Reach::Tenant },
    Operation { name: "conversation.move_clock", kind: "business", roles: SETTERS, reach: Reach::Tenant },
    Operation { name: "conversation.open_sender", kind: "sender", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "conversation.meet_contact", kind: "contact", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "conversation.opt_in", kind: "contact", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "conversation.opt_out", kind: "contact", roles: SHOPPERS, reach: Reach::Tenant },
    Operation { name: "conversation.create_template", kind: "template", roles: KEEPERS, reach: Reach::Tenant },
    Operation { name: "conversation.approve_template", kind: "template", roles: REVIEWERS, reach: Reach::Tenant },
    Operation { name: "conversation.receive", kind: "thread", roles: CUSTOMERS, reach: Reach::Tenant },
    Operation { name: "conversation.send", kind: "thread", roles: WRITERS, reach: Reach::Tenant },
    Operation { name: "conversation.receipt", kind: "thread", roles: CUSTOMERS, reach: Reach::Tenant },
    Operation { name: "payments.open_account", kind: "shard", roles: FUNDERS, reach: Reach::Platform },
    Operation { name: "payments.fund", kind: "shard", roles: FUNDERS, reach: Reach::Platform },
    Operation { name: "payments.submit", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.cancel_transfer", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.credit", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.decline", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.credited", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.declined", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.request_money", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.approve_request", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.decline_request", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.withdraw_request", kind: "shard", roles: PAYERS, reach: Reach::Platform },
    Operation { name: "payments.expire_request", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.create_intent", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.cancel_intent", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.expire_intent", kind: "shard", roles: SERVICES, reach: Reach::Platform },
    Operation { name: "payments.refund", kind: "shard", roles: KEEPERS, reach: Reach::Platform },
    Operation { name: "payments.suspend_regime", kind: "shard", roles: OPERATORS, reach: Reach::Platform },
    Operation { name: "payments.resume_regime", kind: "shard", roles: OPERATORS, reach: Reach::Platform },
    Operation { name: "billing.record_usage", kind: "usage", roles: SERVICES, reach: Reach::Tenant },
    Operation { name: "billing.draft_invoice", kind: "invoice", roles: BILLERS, reach: Reach::Tenant },
    Operation { name: "billing.issue_invoice", kind: "invoice", roles: BILLERS, reach: Reach::Tenant },
    // The next service goes above.
];

/// The operation called `name`.
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}
