//! How a product answers.

use std::sync::Arc;

use feira_commands::catalog::IMAGES_MAX;

use super::rejection::chars_max;
use super::{
    Availability, Command, Condition, Details, Event, Pricing, ProductDescribed, ProductListed, ProductPriced,
    ProductWithdrawn, Rejection, State,
};

pub(super) fn decide(product: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Put { sku, details, pricing } => put(product, sku, details, pricing),
        Command::SetPrice { pricing } => set_price(product, pricing),
        Command::Withdraw => Ok(withdraw(product)),
    }
}

fn put(product: &State, sku: Arc<str>, details: Details, pricing: Pricing) -> Result<Vec<Event>, Rejection> {
    check_details(&details)?;
    check_pricing(&pricing)?;
    if !product.listed {
        return Ok(vec![Event::ProductListed(ProductListed { sku, details, pricing })]);
    }
    let mut events = Vec::new();
    if product.details.as_ref() != Some(&details) {
        events.push(Event::ProductDescribed(ProductDescribed { sku: sku.clone(), details }));
    }
    if product.pricing.as_ref() != Some(&pricing) {
        events.push(Event::ProductPriced(ProductPriced { sku, pricing }));
    }
    Ok(events)
}

fn set_price(product: &State, pricing: Pricing) -> Result<Vec<Event>, Rejection> {
    if !product.listed {
        return Err(Rejection::NotListed);
    }
    check_pricing(&pricing)?;
    if product.pricing.as_ref() == Some(&pricing) {
        return Ok(vec![]);
    }
    Ok(vec![Event::ProductPriced(ProductPriced { sku: product.sku.clone(), pricing })])
}

fn withdraw(product: &State) -> Vec<Event> {
    // Who withdraws what is not there has what they want.
    if !product.listed {
        return vec![];
    }
    vec![Event::ProductWithdrawn(ProductWithdrawn { sku: product.sku.clone() })]
}

fn check_details(details: &Details) -> Result<(), Rejection> {
    if details.title.trim().is_empty() {
        return Err(Rejection::TitleMissing);
    }
    check_text("title", &details.title)?;
    check_text("description", &details.description)?;
    let labels = [("brand", &details.brand), ("category", &details.category), ("item_group", &details.item_group)];
    for (field, label) in labels {
        label.as_deref().map_or(Ok(()), |label| check_text(field, label))?;
    }
    details.link.as_deref().map_or(Ok(()), |link| check_link("link", link))?;
    if details.image_links.len() > IMAGES_MAX {
        return Err(Rejection::TooManyImages { given: details.image_links.len() });
    }
    details.image_links.iter().try_for_each(|link| check_link("image_links", link))?;
    if details.availability == Availability::Unknown {
        return Err(Rejection::UnknownValue { field: "availability" });
    }
    if details.condition == Condition::Unknown {
        return Err(Rejection::UnknownValue { field: "condition" });
    }
    Ok(())
}

fn check_text(field: &'static str, text: &str) -> Result<(), Rejection> {
    let given = text.chars().count();
    if given > chars_max(field) {
        return Err(Rejection::TextTooLong { field, given });
    }
    // A description has paragraphs; anything else is one line.
    let shown = |c: char| !c.is_control() || (field == "description" && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().all(shown) { Ok(()) } else { Err(Rejection::TextUnreadable { field }) }
}

fn check_link(field: &'static str, link: &str) -> Result<(), Rejection> {
    let given = link.chars().count();
    if given > chars_max(field) {
        return Err(Rejection::TextTooLong { field, given });
    }
    // Whoever shows a link must not be made to run one: `javascript:` and the like are no links here.
    let host = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let reads = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && !link.chars().any(|c| c.is_control() || c.is_whitespace());
    if reads { Ok(()) } else { Err(Rejection::BadLink { field }) }
}

fn check_pricing(pricing: &Pricing) -> Result<(), Rejection> {
    let price = pricing.price;
    // A product for nothing is a mistake of the feed far more often than a gift; a gift is a discount.
    if price.minor <= 0 {
        return Err(Rejection::PriceNotPositive { price });
    }
    let Some(sale_price) = pricing.sale_price else {
        return Ok(());
    };
    if sale_price.currency != price.currency {
        return Err(Rejection::CurrencyMismatch { price: price.currency, sale_price: sale_price.currency });
    }
    if sale_price.minor <= 0 {
        return Err(Rejection::SalePriceNotPositive { sale_price });
    }
    if sale_price.minor > price.minor {
        return Err(Rejection::SaleAbovePrice { price, sale_price });
    }
    Ok(())
}
