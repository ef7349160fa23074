//! One business's story: from the first word to the issued invoice.

use feira_calendar::parse_rfc3339;
use serde_json::{Value, json};

use super::asks::{self, Mutation};
use super::shop::Shop;
use super::speaker::Speaker;
use super::state::Run;
use crate::failure::Failure;

/// The name under which the template is known.
const TEMPLATE: &str = "order_arrived";
/// Units there are of each product that is bought.
const STOCK: i64 = 100;
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Who speaks in it.
pub struct Cast {
    /// Sets the business up.
    pub admin: Speaker,
    /// Answers its customers.
    pub agent: Speaker,
    /// Buys.
    pub buyer: Speaker,
    /// The buyer's friend.
    pub friend: Speaker,
    /// Runs the platform.
    pub operator: Speaker,
}

/// A business's story as it is told.
pub struct Story<'a> {
    /// The business.
    pub shop: &'a Shop,
    /// Who speaks.
    pub cast: &'a Cast,
    /// The run it is of.
    pub run: &'a mut Run,
    /// Hears of each step.
    pub tell: &'a dyn Fn(&str),
}

impl Story<'_> {
    /// Tells it from beginning to end; what was done before is not done again. Answers what came of it.
    pub async fn tell(mut self) -> Result<Value, Failure> {
        self.set_up().await?;
        let accounts = self.wallets().await?;
        let began = self.conversation().await?;
        let order = self.purchase().await?;
        let friend = self.friends(&accounts).await?;
        let template = self.next_day().await?;
        let mut invoices = Vec::new();
        let mut periods = vec![month_of(&began)?, month_of(&template)?];
        periods.dedup();
        self.month_over(&template).await?;
        for period in periods {
            invoices.push(self.invoice(&period).await?);
        }
        let thread = self.thread().await?;
        Ok(json!({
            "business": self.shop.tenant, "order": order, "between_friends": friend, "messages": thread,
            "invoices": invoices,
        }))
    }

    async fn set_up(&mut self) -> Result<(), Failure> {
        let shop = self.shop;
        (self.tell)("registers in the sandbox, with a sender and a template");
        // What an earlier run of the demo has set up.
        let known = ["BUSINESS_REGISTERED", "SENDER_OPEN", "TEMPLATE_WRITTEN"];
        let admin = &self.cast.admin;
        let register = json!({ "name": shop.name, "country": shop.country, "sandbox": true });
        self.change(admin, "register", asks::REGISTER, register, &known).await?;
        self.change(admin, "sender", asks::OPEN_SENDER, json!({ "displayName": shop.name }), &known).await?;
        let template = json!({
            "name": TEMPLATE, "language": shop.language, "category": "UTILITY", "body": shop.template,
        });
        self.change(admin, "template", asks::CREATE_TEMPLATE, template, &known).await?;
        (self.tell)("brings its products in");
        let run = self.run.uuid(if shop.tenant == "feira-livre" { 1 } else { 2 });
        admin.import(&run, shop.feed).await?;
        for (place, (sku, _)) in shop.bought.iter().enumerate() {
            let input = json!({ "sku": sku, "onHand": STOCK });
            self.change(admin, &format!("stock-{place}"), asks::SET_STOCK, input, &[]).await?;
        }
        Ok(())
    }

    /// Opens the accounts and funds the buyer's. Answers those of the two people.
    async fn wallets(&mut self) -> Result<[String; 2], Failure> {
        (self.tell)("wallets are opened, and one is funded with demo money");
        let (cast, shop) = (self.cast, self.shop);
        let mut ids = Vec::new();
        self.change(&cast.admin, "account-business", asks::OPEN_ACCOUNT, json!({}), &["ACCOUNT_OPEN"]).await?;
        for (step, speaker) in [("account-buyer", &cast.buyer), ("account-friend", &cast.friend)] {
            self.change(speaker, step, asks::OPEN_ACCOUNT, json!({}), &["ACCOUNT_OPEN"]).await?;
            let id = |data: &Value| data.pointer("/account/id")?.as_str().map(str::to_owned);
            ids.push(speaker.await_data("an account", asks::ACCOUNT, &json!({}), id).await?);
        }
        let amount = json!({ "amount": shop.funded, "currency": shop.currency });
        let fund = json!({ "account": ids[0], "amount": amount });
        self.change(&cast.operator, "fund-buyer", asks::FUND, fund, &[]).await?;
        Ok([ids[0].clone(), ids[1].clone()])
    }

    /// The customer writes first, the business shows what it has. Answers when that was.
    async fn conversation(&mut self) -> Result<String, Failure> {
        let (cast, shop) = (self.cast, self.shop);
        (self.tell)("a customer writes, and is shown products");
        let write = json!({ "business": shop.tenant, "text": shop.hello });
        let written = self.change(&cast.buyer, "write", asks::WRITE, write, &[]).await?;
        let customer = self.customer().await?;
        let skus: Vec<&str> = shop.bought.iter().map(|(sku, _)| *sku).collect();
        let contents = [
            ("answer", json!({ "text": shop.welcome })),
            ("product", json!({ "product": { "sku": skus[0] } })),
            (
                "list",
                json!({ "productList": { "header": shop.header, "sections": [{ "title": shop.header, "skus": skus }] } }),
            ),
        ];
        for (step, content) in contents {
            let mut input = json!({ "customer": customer });
            merge(&mut input, content);
            let sent = self.change(&cast.agent, step, asks::SEND, input, &[]).await?;
            let receipt = json!({ "business": shop.tenant, "message": text(&sent, "/message/id")?, "status": "READ" });
            self.change(&cast.buyer, &format!("read-{step}"), asks::RECEIPT, receipt, &[]).await?;
        }
        text(&written, "/message/sentAt")
    }

    /// How the business knows the buyer.
    async fn customer(&self) -> Result<String, Failure> {
        let variables = json!({ "business": self.shop.tenant });
        let seen = |data: &Value| data.pointer("/thread/customer")?.as_str().map(str::to_owned);
        self.cast.buyer.await_data("the thread", asks::THREAD, &variables, seen).await
    }

    /// Cart, checkout, payment, confirmation.
    async fn purchase(&mut self) -> Result<Value, Failure> {
        let (cast, shop) = (self.cast, self.shop);
        (self.tell)("a cart is filled and checked out");
        for (place, (sku, quantity)) in shop.bought.iter().enumerate() {
            let input = json!({ "business": shop.tenant, "sku": sku, "quantity": quantity });
            self.change(&cast.buyer, &format!("add-{place}"), asks::ADD, input, &[]).await?;
        }
        let checkout = json!({ "business": shop.tenant });
        let checked = self.change(&cast.buyer, "checkout", asks::CHECK_OUT, checkout, &[]).await?;
        let order = text(&checked, "/order/id")?;
        let variables = json!({ "business": shop.tenant, "id": order });
        // A run that is told again finds the order further on.
        let payable = |data: &Value| state(data).filter(|state| !matches!(state.as_str(), "PLACED"));
        let reached = cast.buyer.await_data("the order to be payable", asks::ORDER, &variables, payable).await?;
        if reached == "CANCELLED" {
            return Err(Failure::new(format!("order {order} was cancelled; see `feira log show --service cart`")));
        }
        (self.tell)("it is paid, and the order is confirmed");
        let pay = json!({ "business": shop.tenant, "order": order });
        self.change(&cast.buyer, "pay", asks::PAY, pay, &[]).await?;
        let confirmed = |data: &Value| {
            let confirmed = ["CONFIRMED", "SHIPPED", "COMPLETED"].contains(&state(data)?.as_str());
            confirmed.then(|| data["order"].clone())
        };
        cast.buyer.await_data("the order to be confirmed", asks::ORDER, &variables, confirmed).await
    }

    /// A gift, and a part of it asked back.
    async fn friends(&mut self, [buyer, friend]: &[String; 2]) -> Result<Value, Failure> {
        let (cast, shop) = (self.cast, self.shop);
        (self.tell)("a friend is sent 10.00 and asked for 5.00 back");
        let amount = |amount: &str| json!({ "amount": amount, "currency": shop.currency });
        let gift = json!({ "to": friend, "amount": amount("10.00") });
        let sent = self.change(&cast.buyer, "gift", asks::SEND_MONEY, gift, &[]).await?;
        let has_some = |data: &Value| {
            let available = data.pointer("/account/available/amount")?.as_str()?.to_owned();
            (!available.starts_with('0')).then_some(available)
        };
        cast.friend.await_data("the gift", asks::ACCOUNT, &json!({}), has_some).await?;
        let request = json!({ "from": friend, "to": buyer, "amount": amount("5.00") });
        let asked = self.change(&cast.buyer, "request", asks::ASK_MONEY, request, &[]).await?;
        let id = text(&asked, "/request/id")?;
        self.change(&cast.friend, "grant", asks::GRANT, json!({ "request": id }), &[]).await?;
        let paid = |data: &Value| (data.pointer("/moneyRequest/state")?.as_str()? == "PAID").then_some(());
        cast.buyer.await_data("what was asked for", asks::REQUEST, &json!({ "id": id }), paid).await?;
        Ok(json!({ "transfer": sent["transfer"]["id"], "request": id }))
    }

    /// 25 hours later a template is sent, which is charged when it is delivered. Answers when it was sent.
    async fn next_day(&mut self) -> Result<String, Failure> {
        let (cast, shop) = (self.cast, self.shop);
        (self.tell)("25 hours later a template is sent and delivered");
        let by = json!({ "byMs": (25 * HOUR_MS).to_string() });
        self.change(&cast.admin, "clock-25h", asks::MOVE_CLOCK, by, &[]).await?;
        // The new time counts once it has come to where commands get theirs: then the service window is closed.
        let closed = |data: &Value| (data.pointer("/thread/classNow")? != "FREE").then_some(());
        let variables = json!({ "business": shop.tenant });
        cast.buyer.await_data("the end of the service window", asks::CLASS_NOW, &variables, closed).await?;
        let template = json!({ "name": TEMPLATE, "language": shop.language, "variables": shop.variables });
        let customer = self.customer().await?;
        let input = json!({ "customer": customer, "template": template });
        let sent = self.change(&cast.agent, "send-template", asks::SEND, input, &[]).await?;
        let receipt = json!({ "business": shop.tenant, "message": text(&sent, "/message/id")?, "status": "DELIVERED" });
        self.change(&cast.buyer, "deliver-template", asks::RECEIPT, receipt, &[]).await?;
        text(&sent, "/message/sentAt")
    }

    /// Moves the clock to the second of the month after `sent_at`.
    async fn month_over(&mut self, sent_at: &str) -> Result<(), Failure> {
        (self.tell)("the month ends");
        let by = self.run.value(&format!("{}/month-over", self.shop.tenant), || {
            until_next_month(sent_at).unwrap_or(0).to_string()
        })?;
        self.change(&self.cast.admin, "clock-month", asks::MOVE_CLOCK, json!({ "byMs": by }), &[]).await?;
        Ok(())
    }

    /// Drafts and issues a month's invoice.
    async fn invoice(&mut self, period: &str) -> Result<Value, Failure> {
        (self.tell)(&format!("the invoice of {period} is drafted and issued"));
        let admin = &self.cast.admin;
        let input = json!({ "period": period });
        let mut tries = 0;
        loop {
            // Usage may come in between the two, and the new month may not have come everywhere: then both are asked
            // again, which is another command.
            let draft = format!("draft-{period}-{tries}");
            self.change(admin, &draft, asks::DRAFT, input.clone(), &["ALREADY_ISSUED", "NO_USAGE"]).await?;
            let issue = format!("issue-{period}-{tries}");
            let issued = self
                .change(admin, &issue, asks::ISSUE, input.clone(), &["DRAFT_STALE", "NO_DRAFT", "PERIOD_NOT_OVER"])
                .await?;
            if issued["userErrors"].as_array().is_none_or(Vec::is_empty) {
                return Ok(issued["invoice"].clone());
            }
            tries += 1;
            if tries >= 20 {
                return Err(Failure::new(format!("usage of {period} goes on coming in; run the demo again")));
            }
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
    }

    /// The conversation as it stands at the end.
    async fn thread(&self) -> Result<Value, Failure> {
        let data = self.cast.buyer.ask(asks::THREAD, &json!({ "business": self.shop.tenant })).await?;
        let nodes = data.pointer("/thread/messages/edges").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(nodes.into_iter().map(|edge| edge["node"].clone()).collect())
    }

    /// Asks for a change under its step's command id.
    async fn change(
        &mut self,
        who: &Speaker,
        step: &str,
        what: Mutation,
        mut input: Value,
        fine: &[&str],
    ) -> Result<Value, Failure> {
        let id = self.run.command(&format!("{}/{step}", self.shop.tenant))?;
        merge(&mut input, json!({ "commandId": id }));
        who.change(what.field, what.text, input, fine).await
    }
}

fn state(data: &Value) -> Option<String> {
    data.pointer("/order/state")?.as_str().map(str::to_owned)
}

fn merge(input: &mut Value, more: Value) {
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
}

fn text(value: &Value, pointer: &str) -> Result<String, Failure> {
    let found = value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failure::new(format!("the gateway's answer has nothing at {pointer}: {value}")))
}

/// The month of a time: `2026-11`.
fn month_of(at: &str) -> Result<String, Failure> {
    at.get(..7).map(str::to_owned).ok_or_else(|| Failure::new(format!("{at:?} is no time")))
}

/// How long from `at` to two in the morning of the second of the next month, in milliseconds.
fn until_next_month(at: &str) -> Option<i64> {
    let (year, month): (i32, u32) = (at.get(..4)?.parse().ok()?, at.get(5..7)?.parse().ok()?);
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let then = parse_rfc3339(&format!("{year:04}-{month:02}-02T02:00:00Z")).ok()?;
    Some(then - parse_rfc3339(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_month_begins_after_this_one_whatever_the_day() {
        let wait = |at: &str| {
            feira_calendar::format_rfc3339(parse_rfc3339(at).unwrap() + until_next_month(at).unwrap()).unwrap()
        };
        assert_eq!(wait("2026-11-27T04:30:00Z"), "2026-12-02T02:00:00.000Z");
        assert_eq!(wait("2026-12-31T23:59:59Z"), "2027-01-02T02:00:00.000Z");
        assert_eq!(wait("2028-02-01T00:00:00Z"), "2028-03-02T02:00:00.000Z");
        assert_eq!(month_of("2026-11-27T04:30:00Z").unwrap(), "2026-11");
    }
}
