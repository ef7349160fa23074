//! The price lists that are built in: every line of `data/rates.csv`, and the regions that countries belong to.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use feira_calendar::Date;
use feira_money::{Currency, MicroAmount};

use super::csv::{self, CsvError};

/// A price that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The market: a country by ISO 3166 alpha-2, a region, `Other`, or `*`.
    pub market: Arc<str>,
    /// The market's name for people.
    pub market_name: Arc<str>,
    /// The category of message, or what else is priced.
    pub category: Arc<str>,
    /// What one costs.
    pub price: MicroAmount,
    /// The first day on which it costs that.
    pub valid_from: Date,
    /// What one is: `message delivered`.
    pub unit: Arc<str>,
    /// The pricing model: `PMP` charges each message that is delivered.
    pub model: Arc<str>,
    /// Where the price was found.
    pub source: Arc<str>,
    /// How far that is trusted.
    pub confidence: Confidence,
    /// What else is to be known.
    pub note: Arc<str>,
}

/// How far a source of prices is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A guess, or a page that cannot be checked.
    Low,
    /// One copy.
    Medium,
    /// One copy that agrees with what is known otherwise.
    MediumHigh,
    /// Several that agree, or the platform's own word.
    High,
}

/// Why a price list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceListError {
    /// It is no table.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// The first line names other columns.
    #[error("the first line must be {0}")]
    Header(&'static str),
    /// A field has a wrong form.
    #[error("line {line}: {column} {found:?} {expected}")]
    Field {
        /// The line, from 1.
        line: usize,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// Two prices for one thing on one day.
    #[error("line {line} prices what an earlier line prices from the same day on")]
    Twice {
        /// The second of them.
        line: usize,
    },
}

const RATES: &str = include_str!("../../data/rates.csv");
const RATES_HEADER: &str = "country,country_name,category,price,currency,valid_from,unit,model,source,confidence,note";
const MARKETS: &str = include_str!("../../data/markets.csv");
const MARKETS_HEADER: &str = "country,region";

/// Every price that is built in, as published.
pub fn published() -> &'static [Price] {
    static PRICES: LazyLock<Vec<Price>> =
        LazyLock::new(|| parse(RATES).expect("a test reads every line of the built-in price list"));
    &PRICES
}

/// The region of the price lists that a country belongs to; none for one that is not listed.
pub(super) fn region(country: &str) -> Option<&'static Arc<str>> {
    static REGIONS: LazyLock<BTreeMap<Arc<str>, Arc<str>>> =
        LazyLock::new(|| parse_regions(MARKETS).expect("a test reads every line of the built-in list of markets"));
    REGIONS.get(country)
}

/// Reads a price list, strictly: every line counts, and none is passed over.
///
/// # Errors
/// [`PriceListError`] for the first thing that is wrong.
pub fn parse(text: &str) -> Result<Vec<Price>, PriceListError> {
    let mut prices: Vec<Price> = Vec::new();
    let mut seen = BTreeMap::new();
    for (line, fields) in body(text, RATES_HEADER)? {
        let [market, market_name, category, price, currency, valid_from, unit, model, source, confidence, note] =
            <[String; 11]>::try_from(fields).map_err(|_| PriceListError::Header(RATES_HEADER))?;
        let named =
            [("country", &market), ("category", &category), ("unit", &unit), ("model", &model), ("source", &source)];
        if let Some((column, found)) =
            named.into_iter().find(|(_, text)| text.is_empty() || text.trim() != text.as_str())
        {
            let (found, expected) = (found.clone(), "is empty, or has a space at an end");
            return Err(PriceListError::Field { line, column, found, expected });
        }
        let currency: Currency = field(line, "currency", &currency, "is no currency code")?;
        let price =
            MicroAmount::parse_major(&price, currency).ok().filter(|price| price.micro >= 0).ok_or_else(|| {
                let expected = "is no price of at most six decimal places";
                PriceListError::Field { line, column: "price", found: price.clone(), expected }
            })?;
        let key = (market.clone(), category.clone(), model.clone(), currency.code(), valid_from.clone());
        if seen.insert(key, line).is_some() {
            return Err(PriceListError::Twice { line });
        }
        prices.push(Price {
            market: market.into(),
            market_name: market_name.into(),
            category: category.into(),
            price,
            valid_from: field(line, "valid_from", &valid_from, "is no date such as 2026-01-31")?,
            unit: unit.into(),
            model: model.into(),
            source: source.into(),
            confidence: field(line, "confidence", &confidence, "is none of low, medium, medium-high, high")?,
            note: note.into(),
        });
    }
    Ok(prices)
}

fn parse_regions(text: &str) -> Result<BTreeMap<Arc<str>, Arc<str>>, PriceListError> {
    let mut regions = BTreeMap::new();
    for (line, fields) in body(text, MARKETS_HEADER)? {
        let [country, region] = <[String; 2]>::try_from(fields).map_err(|_| PriceListError::Header(MARKETS_HEADER))?;
        if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
            let expected = "is no country of two capital letters";
            return Err(PriceListError::Field { line, column: "country", found: country, expected });
        }
        if regions.insert(country.into(), region.into()).is_some() {
            return Err(PriceListError::Twice { line });
        }
    }
    Ok(regions)
}

/// The records behind a first line that is `header`.
fn body(text: &str, header: &'static str) -> Result<impl Iterator<Item = csv::Record>, PriceListError> {
    let mut records = csv::read(text)?.into_iter();
    match records.next() {
        Some((_, first)) if first.iter().map(String::as_str).eq(header.split(',')) => Ok(records),
        Some(_) | None => Err(PriceListError::Header(header)),
    }
}

fn field<T: FromStr>(
    line: usize,
    column: &'static str,
    text: &str,
    expected: &'static str,
) -> Result<T, PriceListError> {
    text.parse().map_err(|_| PriceListError::Field { line, column, found: text.chars().take(40).collect(), expected })
}

impl Confidence {
    /// Its word in the price list.
    pub fn text(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::MediumHigh => "medium-high",
            Self::High => "high",
        }
    }
}

impl FromStr for Confidence {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Low, Self::Medium, Self::MediumHigh, Self::High].into_iter().find(|known| known.text() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "BR,Brazil,utility,0.0068,USD,2026-01-01,message delivered,PMP,a copy,high,";

    fn with(field: &str, other: &str) -> Result<Vec<Price>, PriceListError> {
        assert!(LINE.contains(field), "{field}");
        parse(&format!("{RATES_HEADER}\n{}\n", LINE.replacen(field, other, 1)))
    }

    #[test]
    fn every_line_of_the_built_in_list_is_read_and_its_price_is_exact() {
        let prices = parse(RATES).unwrap();
        assert_eq!(prices.len(), RATES.lines().count() - 1);
        // No line has a break within, so each can be held beside what it was read as.
        for (line, price) in RATES.lines().skip(1).zip(&prices) {
            let stated = line.split(',').nth(3).unwrap();
            let (whole, fraction) = stated.split_once('.').unwrap_or((stated, ""));
            let micro: i64 = format!("{whole}{fraction:0<6}").parse().unwrap();
            assert_eq!((price.price.micro, &*price.market), (micro, line.split(',').next().unwrap()), "{line}");
        }
        assert_eq!(prices.iter().filter(|price| &*price.model == "PMP").count(), 496);
    }

    #[test]
    fn quoted_notes_keep_their_commas() {
        let notes = published().iter().filter(|price| price.note.contains("1,000")).count();
        assert_eq!(notes, 65);
    }

    #[test]
    fn every_country_has_one_region_that_is_priced() {
        let regions = parse_regions(MARKETS).unwrap();
        assert_eq!(regions.len(), MARKETS.lines().count() - 1);
        for region in regions.values() {
            assert!(published().iter().any(|price| price.market == *region), "{region}");
        }
    }

    #[test]
    fn a_line_that_is_not_quite_right_is_refused() {
        assert_eq!(with("BR", "BR").unwrap().len(), 1);
        let column = |result: Result<Vec<Price>, PriceListError>| match result {
            Err(PriceListError::Field { line: 2, column, .. }) => column,
            other => panic!("{other:?}"),
        };
        assert_eq!(column(with("0.0068", "0.0000001")), "price");
        assert_eq!(column(with("0.0068", "-0.0068")), "price");
        assert_eq!(column(with("0.0068", "6.8e-3")), "price");
        assert_eq!(column(with("USD", "US")), "currency");
        assert_eq!(column(with("2026-01-01", "2026-02-30")), "valid_from");
        assert_eq!(column(with("high", "sure")), "confidence");
        assert_eq!(column(with("BR", "")), "country");
        assert_eq!(column(with("PMP", " PMP")), "model");
        assert!(matches!(with(",high", ""), Err(PriceListError::Csv(CsvError::FieldCount { line: 2, .. }))));
        assert_eq!(parse(&format!("{RATES_HEADER}\n{LINE}\n{LINE}\n")), Err(PriceListError::Twice { line: 3 }));
        assert_eq!(parse("country\n"), Err(PriceListError::Header(RATES_HEADER)));
        assert_eq!(parse(""), Err(PriceListError::Header(RATES_HEADER)));
    }
}
