//! Rate cards: what a delivered message costs, by country, category and day.
//!
//! A card is every price of one model in one currency that is valid before a given day. Publishers change some prices
//! and leave the rest, so a later list lies over the earlier ones: what it does not name stays. A card is named by its
//! newest day and by a hash of all its prices; what is published later makes another card and leaves this one as it is.

mod csv;
mod prices;

pub use csv::CsvError;
pub use prices::{Confidence, Price, PriceListError, parse, published};

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_calendar::Date;
use feira_events::billing::{Card, Category};
use feira_money::Currency;

use crate::hash::Hash;

/// The model that charges each message that is delivered.
pub const PER_MESSAGE: &str = "PMP";

/// The market of whoever is in no other.
pub const REST: &str = "Other";

/// The least confidence with which a price is charged.
///
/// Source: decision record "Prices carry their source".
pub const CONFIDENCE_MIN: Confidence = Confidence::Medium;

/// The prices of one model in one currency as they stand before some day.
#[derive(Clone, Debug)]
pub struct RateCard {
    model: Arc<str>,
    currency: Currency,
    version: Date,
    hash: Arc<str>,
    /// By market and category, the earliest first.
    prices: BTreeMap<(Arc<str>, Arc<str>), Vec<Price>>,
}

/// Days on which one price is valid: from one on, until just before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<'a> {
    /// The first day.
    pub from: Date,
    /// The first day after it.
    pub until: Date,
    /// The price; none where the card has none for these days.
    pub price: Option<&'a Price>,
}

impl RateCard {
    /// The card of `model` in `currency` with the prices among `published` that are valid from a day before `until`;
    /// none when there are none. Prices that are not trusted enough are left out.
    pub fn of(published: &[Price], model: &str, currency: Currency, until: Date) -> Option<Self> {
        let mut chosen: Vec<&Price> = published
            .iter()
            .filter(|price| &*price.model == model && price.price.currency == currency)
            .filter(|price| price.valid_from < until && price.confidence >= CONFIDENCE_MIN)
            .collect();
        // The hash is of the prices, not of the order in which someone wrote them down.
        chosen.sort_by(|a, b| (&a.market, &a.category, a.valid_from).cmp(&(&b.market, &b.category, b.valid_from)));
        let version = chosen.iter().map(|price| price.valid_from).max()?;
        let mut prices: BTreeMap<_, Vec<Price>> = BTreeMap::new();
        for price in &chosen {
            prices.entry((price.market.clone(), price.category.clone())).or_default().push((*price).clone());
        }
        Some(Self { model: model.into(), currency, version, hash: hash(&chosen).into(), prices })
    }

    /// What it charges in.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// How an invoice names it.
    pub fn stated(&self) -> Card {
        Card {
            model: self.model.clone(),
            currency: self.currency.code().into(),
            version: self.version.to_string().into(),
            hash: self.hash.clone(),
        }
    }

    /// What a message of `category` to `country` costs on a day: the country's own price, else its region's, else that
    /// of the rest of the world. The first of them that is valid by then stands.
    pub fn price(&self, country: &str, category: Category, on: Date) -> Option<&Price> {
        self.candidates(country, category).find_map(|prices| prices.iter().rev().find(|price| price.valid_from <= on))
    }

    /// The days from `from` until just before `until`, cut where the price changes.
    pub fn spans(&self, country: &str, category: Category, from: Date, until: Date) -> Vec<Span<'_>> {
        let mut cuts: Vec<Date> = self
            .candidates(country, category)
            .flatten()
            .map(|price| price.valid_from)
            .filter(|day| (from..until).contains(day))
            .chain([from])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut spans: Vec<Span<'_>> = Vec::new();
        for from in cuts {
            let price = self.price(country, category, from);
            match spans.last_mut() {
                // A price of the region does not end what the country's own price says.
                Some(last) if last.price == price => {}
                Some(last) => {
                    last.until = from;
                    spans.push(Span { from, until, price });
                }
                None => spans.push(Span { from, until, price }),
            }
        }
        spans
    }

    /// The prices that may apply, those of the narrowest market first.
    fn candidates(&self, country: &str, category: Category) -> impl Iterator<Item = &[Price]> {
        let region = prices::region(country);
        // One region has the code of a country: Namibia is not North America.
        let own = (country != "NA").then_some(country);
        let markets = own.into_iter().chain(region.map(|region| &**region)).chain([REST]);
        let category = name_of(category);
        markets.filter_map(move |market| self.prices.get(&(Arc::from(market), Arc::from(category?))).map(Vec::as_slice))
    }
}

/// The category's name in price lists.
fn name_of(category: Category) -> Option<&'static str> {
    match category {
        Category::Marketing => Some("marketing"),
        Category::Utility => Some("utility"),
        Category::Authentication => Some("authentication"),
        Category::Service => Some("service"),
        Category::Unknown => None,
    }
}

/// The hash of prices, where they were found included.
fn hash(prices: &[&Price]) -> String {
    let mut hash = Hash::default();
    hash.list(prices, |hash, price| {
        hash.text(&price.market);
        hash.text(&price.category);
        hash.number(price.price.micro);
        hash.text(price.price.currency.code());
        hash.text(&price.valid_from.to_string());
        hash.text(&price.unit);
        hash.text(&price.model);
        hash.text(&price.source);
        hash.text(price.confidence.text());
        hash.text(&price.note);
    });
    hash.hex()
}

#[cfg(test)]
mod tests;
