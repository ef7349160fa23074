//! The columns of product feeds, by the names that Google Merchant and Meta give them.
//!
//! Source: Google Merchant Center, "Product data specification"; Meta, "Catalog fields".

use std::borrow::Cow;

/// A column that is read. Others are passed over, and named in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Title,
    Description,
    Availability,
    Condition,
    Price,
    SalePrice,
    Link,
    ImageLink,
    AdditionalImageLink,
    Brand,
    GoogleProductCategory,
    ProductType,
    ItemGroupId,
    QuantityToSellOnFacebook,
}

/// Every column that is read, in the order of the enum: its name first, then what else it is called.
const NAMES: [(Column, &[&str]); COLUMNS] = [
    (Column::Id, &["id", "retailer_id"]),
    (Column::Title, &["title"]),
    (Column::Description, &["description"]),
    (Column::Availability, &["availability"]),
    (Column::Condition, &["condition"]),
    (Column::Price, &["price"]),
    (Column::SalePrice, &["sale_price"]),
    (Column::Link, &["link"]),
    (Column::ImageLink, &["image_link"]),
    (Column::AdditionalImageLink, &["additional_image_link"]),
    (Column::Brand, &["brand"]),
    (Column::GoogleProductCategory, &["google_product_category", "fb_product_category"]),
    (Column::ProductType, &["product_type"]),
    (Column::ItemGroupId, &["item_group_id"]),
    (Column::QuantityToSellOnFacebook, &["quantity_to_sell_on_facebook", "quantity"]),
];

/// How many columns are read.
pub(super) const COLUMNS: usize = 15;

/// What no row can do without.
pub(super) const REQUIRED: [Column; 3] = [Column::Id, Column::Title, Column::Price];

/// The texts of one row, by column; none where there is nothing in it.
pub(super) type Fields<'a> = [Option<Cow<'a, str>>; COLUMNS];

impl Column {
    /// Its name in feeds.
    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize].1[0]
    }

    /// The column that a header calls `name`: case does not matter, nor spaces for underscores.
    pub(super) fn called(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace(' ', "_");
        NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| *column)
    }

    /// Whether links stand in it.
    pub(super) fn holds_links(self) -> bool {
        matches!(self, Self::Link | Self::ImageLink | Self::AdditionalImageLink)
    }

    /// The column that an input's field is read from.
    pub(super) fn of_field(field: &str) -> Option<&'static str> {
        let column = match field {
            "sku" => Self::Id,
            "salePrice" => Self::SalePrice,
            "imageLinks" => Self::ImageLink,
            "category" => Self::GoogleProductCategory,
            "itemGroup" => Self::ItemGroupId,
            "onHand" => Self::QuantityToSellOnFacebook,
            other => Self::called(other)?,
        };
        Some(column.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_the_order_of_their_names() {
        for (place, (column, _)) in NAMES.iter().enumerate() {
            assert_eq!(*column as usize, place);
        }
        assert_eq!(Column::called(" Image Link "), Some(Column::ImageLink));
        assert_eq!(Column::called("gtin"), None);
    }
}
