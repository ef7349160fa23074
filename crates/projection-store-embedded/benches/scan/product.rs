//! The rows that are written and read: products of a shop.

use feira_projection_store::{Column, ColumnType, Mutation, Order, Table, Value};

pub static PRODUCTS: Table = Table {
    name: "products_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "shelf", kind: ColumnType::Int },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "title", kind: ColumnType::Text },
        Column { name: "brand", kind: ColumnType::Text },
        Column { name: "currency", kind: ColumnType::Text },
        Column { name: "minor", kind: ColumnType::BigInt },
        Column { name: "stock", kind: ColumnType::Int },
        Column { name: "shown", kind: ColumnType::Boolean },
        Column { name: "changed", kind: ColumnType::Timestamp },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "Products.",
};

/// How product `number` is called.
pub fn sku(number: i64) -> String {
    format!("SKU-{number:08}")
}

/// A product's texts and numbers.
pub struct Product {
    pub number: i64,
    pub sku: String,
    pub title: String,
    pub brand: &'static str,
    pub currency: &'static str,
    pub stock: i32,
    pub shown: bool,
}

impl Product {
    /// Product `number`.
    pub fn numbered(number: i64) -> Self {
        let title = format!("Café especial torrado em grãos, pacote {number}");
        Self { number, sku: sku(number), title, brand: "Feira", currency: "BRL", stock: 3, shown: true }
    }

    /// The write that puts it into the table.
    pub fn upsert(&self) -> Mutation {
        Mutation::Upsert {
            table: &PRODUCTS,
            key: vec!["shop".into(), Value::Int(0), self.sku.as_str().into()],
            cells: vec![
                (3, Some(self.title.as_str().into())),
                (4, Some(self.brand.into())),
                (5, Some(self.currency.into())),
                (6, Some(Value::BigInt(self.number))),
                (7, Some(Value::Int(self.stock))),
                (8, Some(Value::Boolean(self.shown))),
                (9, Some(Value::Timestamp(self.number))),
            ],
            timestamp: self.number + 1,
            first: false,
        }
    }
}
