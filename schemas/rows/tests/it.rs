//! What is written of an event is what is read of it, and the tables are as published.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use std::path::PathBuf;
use std::sync::Arc;

use feira_events::cart::Line;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_events::{FactPosition, Meta, Sealed};
use feira_ids::{CommandId, Fingerprint, Hash16, TenantId};
use feira_money::Amount;
use feira_projection_store::{Mutation, Row, Table, Value, lint_cql};
use feira_rows::ALL_TABLES;
use feira_rows::billing;
use feira_rows::cart::{self, CART_EDITS, CART_LINES, CARTS, CartRow, EditRow, OFFERS, OfferRow};
use feira_rows::catalog::{self, PRODUCTS, ProductRow, SHELVES};
use feira_rows::clock::{self, CLOCKS, ClockRow};
use feira_rows::conversation;
use feira_rows::timer::{self, TIMERS, TimerRow};
use proptest::prelude::*;

fn meta(aggregate: &str, version: i64) -> Meta {
    let command_id = CommandId::default();
    Meta {
        event_id: command_id.event(0),
        lane: 3,
        lane_seq: 41,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(version),
        hlc: 1_700_000_000_000_000 + version,
        at: 1_700_000_000_000,
        tenant: shop(),
        principal: "member:bia".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

/// The row that upserts to an empty table make.
fn row(table: &'static Table, writes: &[Mutation]) -> Row {
    let mut row: Row = vec![None; table.columns.len()];
    for write in writes {
        let Mutation::Upsert { table: written, key, cells, .. } = write else { panic!("an upsert") };
        assert_eq!(written.name, table.name);
        write.check().unwrap();
        for (place, value) in key.iter().enumerate() {
            row[place] = Some(value.clone());
        }
        for (place, value) in cells {
            row[*place] = value.clone();
        }
    }
    table.check_row(&row).unwrap();
    row
}

fn any_text() -> impl Strategy<Value = Arc<str>> {
    "\\PC{1,12}".prop_map(Arc::from)
}

fn any_currency() -> impl Strategy<Value = feira_money::Currency> {
    prop_oneof![Just("BRL"), Just("INR"), Just("JPY")].prop_map(|code| code.parse().unwrap())
}

fn any_details() -> impl Strategy<Value = Details> {
    let availability = prop_oneof![
        Just(Availability::InStock),
        Just(Availability::OutOfStock),
        Just(Availability::Preorder),
        Just(Availability::Discontinued),
        Just(Availability::Unknown),
    ];
    let condition = prop_oneof![
        Just(Condition::New),
        Just(Condition::Refurbished),
        Just(Condition::Used),
        Just(Condition::Unknown),
    ];
    let optional = || prop::option::of(any_text());
    let texts = (any_text(), any_text(), optional(), prop::collection::vec(any_text(), 0..4));
    (texts, availability, condition, optional(), optional(), optional()).prop_map(
        |((title, description, link, image_links), availability, condition, brand, category, item_group)| Details {
            title,
            description,
            availability,
            condition,
            link,
            image_links,
            brand,
            category,
            item_group,
        },
    )
}

fn any_pricing() -> impl Strategy<Value = Pricing> {
    (any_currency(), any::<i64>(), prop::option::of(any::<i64>())).prop_map(|(currency, price, sale)| Pricing {
        price: Amount::new(price, currency),
        sale_price: sale.map(|minor| Amount::new(minor, currency)),
    })
}

proptest! {
    #[test]
    fn a_product_reads_back_as_it_was_written(
        sku in "[A-Z0-9é-]{1,20}", details in any_details(), pricing in any_pricing(), version in 1i64..1_000_000,
    ) {
        let meta = meta(&format!("product:{sku}"), version);
        let whole = catalog::put_product(&meta, &sku, Some(&details), Some(&pricing));
        let apart = [
            catalog::put_product(&meta, &sku, Some(&details), None),
            catalog::put_product(&meta, &sku, None, Some(&pricing)),
        ];
        prop_assert_eq!(row(&PRODUCTS, &apart), row(&PRODUCTS, std::slice::from_ref(&whole)));
        let read = ProductRow::from_row(row(&PRODUCTS, &[whole])).unwrap();
        let shelf = catalog::shelf(&shop(), &sku);
        let expected = ProductRow {
            tenant: "feira-livre".into(), shelf, sku: sku.as_str().into(), version: version as u64, updated_at: meta.at,
            details, pricing,
        };
        prop_assert_eq!(read, expected);
        prop_assert!((0..SHELVES as i32).contains(&shelf));
    }

    #[test]
    fn an_offer_reads_back_with_the_price_that_is_paid_now(details in any_details(), pricing in any_pricing()) {
        let meta = meta("product:CAFE", 1);
        let read = OfferRow::from_row(row(&OFFERS, &[cart::put_offer(&meta, "CAFE", Some(&details), Some(&pricing))])).unwrap();
        let position = FactPosition { lane: 3, lane_seq: 41 };
        let price = pricing.current();
        prop_assert_eq!(read, OfferRow { title: details.title, availability: details.availability, price, position });
    }

    #[test]
    fn a_line_reads_back_as_it_was_written(
        title in any_text(), quantity in 1i32..=99, minor in any::<i64>(), currency in any_currency(), first_added in 1i64..99,
    ) {
        let line = Line { sku: "CAFE".into(), title, quantity, unit_price: Amount::new(minor, currency), first_added };
        let meta = meta("cart:BR.1", 9);
        let written = row(&CART_LINES, &[cart::put_line(&meta, "BR.1", &line)]);
        prop_assert_eq!(cart::line_from_row(written).unwrap(), line);
    }

    #[test]
    fn a_cart_reads_back_with_its_sealed_note(
        ciphertext in prop::collection::vec(any::<u8>(), 0..64), nonce in any::<[u8; 12]>(), version in 1i64..9,
    ) {
        let meta = meta("cart:BR.1", version);
        let note = Sealed::from_parts("feira-livre/BR.1".into(), nonce, ciphertext);
        let written = row(&CARTS, &[cart::put_note(&meta, "BR.1", Some(&note))]);
        let read = CartRow::from_row(written).unwrap();
        prop_assert_eq!((read.version, read.note.as_ref()), (version as u64, Some(&note)));
        let without = [cart::put_note(&meta, "BR.1", Some(&note)), cart::put_note(&meta, "BR.1", None)];
        prop_assert_eq!(CartRow::from_row(row(&CARTS, &without)).unwrap().note, None);
    }

    #[test]
    fn a_clock_reads_back_as_it_was_written(offset_ms in any::<i64>(), sandbox in any::<bool>()) {
        let clock = ClockRow { offset_ms, sandbox };
        let written = row(&CLOCKS, &[clock::put_clock(&meta("business:main", 2), clock)]);
        prop_assert_eq!(ClockRow::from_row(written).unwrap(), clock);
    }

    #[test]
    fn a_timer_reads_back_as_it_was_written(
        tenant in any_text(), id in any_text(), due in any::<i64>(), event in any::<[u8; 16]>(), asks in any_text(),
    ) {
        let (event, correlation) = (Hash16(event), Hash16([7; 16]));
        let timer = TimerRow { tenant, timer: id, due, set_hlc: 41, event, correlation, asks };
        let written = row(&TIMERS, &[timer::put_timer("order", "cart/3", &timer)]);
        prop_assert_eq!(TimerRow::from_row(written).unwrap(), timer);
    }

    #[test]
    fn whatever_stands_in_a_row_reading_it_does_not_panic(
        cells in prop::collection::vec(prop::option::of(prop_oneof![
            any_text().prop_map(Value::Text), any::<i64>().prop_map(Value::BigInt), any::<i32>().prop_map(Value::Int),
            any::<bool>().prop_map(Value::Boolean), any::<i64>().prop_map(Value::Timestamp),
        ]), 0..20),
    ) {
        let _ = ProductRow::from_row(cells.clone());
        let _ = OfferRow::from_row(cells.clone());
        let _ = CartRow::from_row(cells.clone());
        let _ = cart::line_from_row(cells.clone());
        let _ = billing::UsageRow::from_row(cells.clone());
        let _ = billing::InvoiceRow::from_row(cells.clone());
        let _ = billing::total_from_row(cells.clone());
        let _ = billing::line_from_row(cells.clone());
        let _ = ClockRow::from_row(cells.clone());
        let _ = TimerRow::from_row(cells.clone());
        let _ = EditRow::from_row(cells.clone());
        let _ = conversation::BusinessRow::from_row(cells.clone());
        let _ = conversation::SenderRow::from_row(cells.clone());
        let _ = conversation::ContactRow::from_row(cells.clone());
        let _ = conversation::TemplateRow::from_row(cells.clone());
        let _ = conversation::ThreadRow::from_row(cells.clone());
        let _ = conversation::InboxRow::from_row(cells.clone());
        let _ = conversation::MessageRow::from_row(cells.clone());
        let _ = conversation::listed_from_row(cells);
    }
}

#[test]
fn a_row_that_makes_no_sense_names_its_table_and_column() {
    let mut broken = row(&CART_EDITS, &[cart::put_edit(&meta("cart:BR.1", 2), "BR.1", None)]);
    broken[4] = None;
    let error = EditRow::from_row(broken).unwrap_err().to_string();
    assert_eq!(error, "table cart_edits_v1: column undone is not true or false");
}

#[test]
fn lines_are_shown_in_the_order_they_were_first_put_in() {
    let line = |sku: &str, first_added| {
        let unit_price = Amount::new(1, "BRL".parse().unwrap());
        Line { sku: sku.into(), title: "x".into(), quantity: 1, unit_price, first_added }
    };
    let rows = [line("A", 7), line("B", 2)]
        .map(|line| row(&CART_LINES, &[cart::put_line(&meta("cart:BR.1", 9), "BR.1", &line)]));
    assert_eq!(cart::lines_from_rows(rows.to_vec()).unwrap(), [line("B", 2), line("A", 7)]);
}

#[test]
fn an_edit_that_is_taken_back_or_covered_cannot_be_taken_back() {
    let edit = |version, sku: Option<&str>, undone| EditRow { version, sku: sku.map(Arc::from), undone };
    let edits = [
        edit(1, Some("A"), false),
        edit(2, Some("B"), false),
        edit(3, None, false),
        edit(4, Some("A"), false),
        edit(5, Some("B"), true),
    ];
    assert_eq!(cart::undoable(&edits), [4, 3, 2]);
}

#[test]
fn tables_are_well_formed_and_named_once() {
    for table in ALL_TABLES {
        table.validate().unwrap();
    }
    let mut names: Vec<_> = ALL_TABLES.iter().map(|table| table.name).collect();
    names.dedup();
    assert_eq!(names.len(), ALL_TABLES.len());
}

/// The statements that make the tables are published for whoever runs the store. A released table never changes: another
/// form is another version beside it. New files are written by `FEIRA_GOLDEN=write cargo test -p feira-rows`.
#[test]
fn tables_are_as_published() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../cql");
    for table in ALL_TABLES {
        let path = folder.join(format!("{}.cql", table.name));
        let cql = format!("{};\n", table.create_cql("feira"));
        assert_eq!(lint_cql(&cql), [], "{}", table.name);
        if std::env::var("FEIRA_GOLDEN").as_deref() == Ok("write") && !path.exists() {
            std::fs::write(&path, &cql).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(published, cql, "{} differs from the table {}", path.display(), table.name);
    }
}

#[test]
fn only_the_first_event_of_a_product_promises_that_its_rows_are_new() {
    let writes = |version| {
        let meta = meta("product:CAFE", version);
        [
            catalog::put_product(&meta, "CAFE", None, None),
            cart::put_offer(&meta, "CAFE", None, None),
            conversation::put_listed(&meta, "CAFE"),
        ]
    };
    let promised = |write: &Mutation| matches!(write, Mutation::Upsert { first: true, .. });
    assert!(writes(1).iter().all(promised));
    assert!(!writes(2).iter().any(promised));
}
