//! Global ids: what they name, and how they are written.

use async_graphql::{ID, Interface};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::{AggregateId, TenantId};

use super::cart::Cart;
use super::market::{Business, Invoice, Order, Thread};
use super::product::Product;

/// Something with an id that names it everywhere.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id that names it everywhere; its form is not to be relied on."))]
pub(crate) enum Node {
    Product(Product),
    Cart(Cart),
    Business(Business),
    Thread(Thread),
    Order(Order),
    Invoice(Invoice),
}

/// An aggregate of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GlobalId {
    pub tenant: TenantId,
    pub aggregate: AggregateId,
}

/// The id of `key` of `kind` at `tenant`.
pub(crate) fn write(kind: &str, tenant: &str, key: &str) -> ID {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{tenant}/{key}")).into()
}

/// What `id` names; none when it names nothing.
pub(crate) fn read(id: &str) -> Option<GlobalId> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (kind, rest) = text.split_once(':')?;
    let (tenant, key) = rest.split_once('/')?;
    Some(GlobalId { tenant: TenantId::new(tenant).ok()?, aggregate: AggregateId::new(kind, key).ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_name_what_they_were_written_for() {
        let id = write("product", "feira-livre", "चाय/250:g");
        let named = read(&id).unwrap();
        assert_eq!((named.tenant.as_str(), named.aggregate.as_str()), ("feira-livre", "product:चाय/250:g"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".*", bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&text);
            let _ = read(&URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
