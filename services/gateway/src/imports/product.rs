//! The product that a row describes, and its stock. What the catalog itself checks is left to it.

use std::str::FromStr;
use std::sync::Arc;

use feira_commands::catalog::Input;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_ids::AggregateId;
use feira_money::{Amount, Currency};

use super::columns::{Column, Fields};

/// What is wrong: where, as a stable name, in words.
type Wrong = (Column, &'static str, String);

/// What a row says.
pub(super) struct Read {
    /// The product's id.
    pub id: String,
    /// The product.
    pub input: Input,
    /// How many units of it there are; none when the row does not say.
    pub on_hand: Option<i64>,
}

/// Reads a row.
pub(super) fn read(fields: &Fields<'_>) -> Result<Read, Wrong> {
    let text = |column: Column| fields[column as usize].as_deref();
    let needed = |column| text(column).ok_or((column, "MISSING", format!("{} is missing", column.name())));
    let shared = |column| text(column).map(Arc::<str>::from);
    let id = needed(Column::Id)?;
    AggregateId::new("product", id).map_err(|error| (Column::Id, "INVALID_SKU", error.to_string()))?;
    let details = Details {
        title: needed(Column::Title)?.into(),
        description: text(Column::Description).unwrap_or("").into(),
        availability: text(Column::Availability).map_or(Ok(Availability::InStock), availability)?,
        condition: text(Column::Condition).map_or(Ok(Condition::New), condition)?,
        link: shared(Column::Link),
        image_links: images(text(Column::ImageLink), text(Column::AdditionalImageLink)),
        brand: shared(Column::Brand),
        category: shared(Column::GoogleProductCategory).or_else(|| shared(Column::ProductType)),
        item_group: shared(Column::ItemGroupId),
    };
    let pricing = Pricing {
        price: amount(Column::Price, needed(Column::Price)?)?,
        sale_price: text(Column::SalePrice).map(|sale| amount(Column::SalePrice, sale)).transpose()?,
    };
    let on_hand = text(Column::QuantityToSellOnFacebook).map(units).transpose()?;
    Ok(Read { id: id.to_owned(), input: Input::Put { details, pricing }, on_hand })
}

/// `9.99 USD`.
fn amount(column: Column, text: &str) -> Result<Amount, Wrong> {
    let short = || text.chars().take(40).collect::<String>();
    let (number, code) = text
        .rsplit_once([' ', '\u{a0}'])
        .ok_or_else(|| (column, "INVALID_AMOUNT", format!("{:?} is not written like 9.99 USD", short())))?;
    let currency = Currency::from_str(code.trim()).map_err(|error| (column, "UNKNOWN_CURRENCY", error.to_string()))?;
    Amount::parse_major(number.trim(), currency).map_err(|error| (column, "INVALID_AMOUNT", error.to_string()))
}

/// A whole number of units.
fn units(text: &str) -> Result<i64, Wrong> {
    let column = Column::QuantityToSellOnFacebook;
    text.parse().map_err(|_| (column, "INVALID_QUANTITY", format!("{:?} is no whole number", clipped(text))))
}

/// A word of a feed in one form: `In Stock`, `in-stock` and `in_stock` are the same.
fn word(text: &str) -> String {
    text.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

fn availability(text: &str) -> Result<Availability, Wrong> {
    match word(text).as_str() {
        "in_stock" | "available_for_order" => Ok(Availability::InStock),
        "out_of_stock" | "pending" => Ok(Availability::OutOfStock),
        "preorder" | "pre_order" | "backorder" => Ok(Availability::Preorder),
        "discontinued" => Ok(Availability::Discontinued),
        other => {
            let known = "in_stock, out_of_stock, preorder, backorder or discontinued";
            Err((Column::Availability, "UNKNOWN_VALUE", format!("{:?} is not {known}", clipped(other))))
        }
    }
}

fn condition(text: &str) -> Result<Condition, Wrong> {
    match word(text).as_str() {
        "new" => Ok(Condition::New),
        "refurbished" => Ok(Condition::Refurbished),
        "used" | "used_like_new" | "used_good" | "used_fair" => Ok(Condition::Used),
        other => {
            Err((Column::Condition, "UNKNOWN_VALUE", format!("{:?} is not new, refurbished or used", clipped(other))))
        }
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The main picture and the further ones, which one column lists with commas between.
fn images(main: Option<&str>, further: Option<&str>) -> Vec<Arc<str>> {
    let further = further.into_iter().flat_map(|links| links.split(','));
    main.into_iter().chain(further).map(str::trim).filter(|link| !link.is_empty()).map(Arc::from).collect()
}
