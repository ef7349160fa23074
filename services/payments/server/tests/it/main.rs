//! The ledger in a running service: across shards, over restarts, for its owners alone.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod house;

use std::sync::Arc;
use std::time::Duration;

use feira_commands::payments::{Input, IntentState, TransferState, View};
use feira_events::payments::{Intent, RequestState};
use feira_ids::{PrincipalKind, Role};
use feira_projection_store::Store;
use feira_rows::payments::{
    ACCOUNTS, AccountRow, INTENTS, IntentRow, REQUESTS, RequestRow, TRANSFERS, TransferRow, intent_key, owner_key,
};
use feira_runtime::Answer;

use house::{House, account, brl, caller, gift, service};

const ANA: &str = "0/person/ana";
const BIA: &str = "1/person/bia";
const SHOP: &str = "1/biz/feira-livre";

fn view(answer: Answer) -> View {
    match answer {
        Answer::Accepted(accepted) => serde_json::from_slice(&accepted.view).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_crosses_from_shard_to_shard_and_is_read_by_both() {
    let house = House::with(&[(ANA, 5_000), (BIA, 0)]).await;
    let ana = caller(PrincipalKind::Person, "ana", None, Role::Consumer);
    let sent = view(house.ask(&ana, Input::Submit { transfer: gift(1, ANA, BIA, 1_000) }, "k1").await);
    assert_eq!(sent.transfer.unwrap().state, TransferState::Reserved);
    assert_eq!(sent.account.unwrap().balance.debits_held, 1_000);
    house.quiet().await;
    for (owner, left) in [("person/ana", 4_000), ("person/bia", 1_000)] {
        let rows = house.scan(&ACCOUNTS, &owner_key(owner)).await;
        let row = AccountRow::from_row(rows[0].clone()).unwrap();
        assert_eq!(row.balance.credits - row.balance.debits - row.balance.debits_held, left);
        let rows = house.scan(&TRANSFERS, &owner_key(owner)).await;
        let transfer = TransferRow::from_row(rows[0].clone()).unwrap();
        assert_eq!((rows.len(), transfer.state, transfer.transfer.amount), (1, TransferState::Settled, brl(1_000)));
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_pays_from_what_is_anothers() {
    let house = House::with(&[(ANA, 5_000), (BIA, 5_000), (SHOP, 0)]).await;
    let ana = caller(PrincipalKind::Person, "ana", None, Role::Consumer);
    let shop = caller(PrincipalKind::Member, "rosa", Some("feira-livre"), Role::Admin);
    let other = caller(PrincipalKind::Member, "rosa", Some("mumbai-bazaar"), Role::Admin);
    let operator = caller(PrincipalKind::Operator, "op", None, Role::Operator);
    let refund = Input::Refund {
        intent: "o-1".into(),
        account: account(SHOP),
        refund: "r-1".into(),
        amount: None,
        reason: "x".into(),
    };
    let forbidden = [
        (&ana, Input::Submit { transfer: gift(1, BIA, ANA, 1_000) }),
        (&ana, Input::Fund { account: account(ANA), amount: brl(1) }),
        (&ana, Input::OpenAccount { account: account("0/person/eva"), regime: "BR-trial-2020".into() }),
        (&ana, Input::Credit { transfer: gift(1, BIA, ANA, 1_000) }),
        (&ana, Input::ResumeRegime { regime: "BR-trial-2020".into() }),
        (&ana, refund.clone()),
        (&other, refund.clone()),
        (&shop, Input::Submit { transfer: gift(1, ANA, BIA, 1_000) }),
        (&operator, Input::Submit { transfer: gift(1, ANA, BIA, 1_000) }),
    ];
    for (principal, input) in forbidden {
        assert_eq!(house.ask(principal, input.clone(), "k1").await, Answer::Forbidden, "{principal} {input:?}");
    }
    assert!(matches!(house.ask(&shop, refund, "k1").await, Answer::Refused { code, .. } if &*code == "INTENT_UNKNOWN"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_and_refunded_across_shards_and_a_request_granted() {
    let house = House::with(&[(ANA, 20_000), (BIA, 5_000), (SHOP, 1_000)]).await;
    let intent = Intent {
        intent: "o-1".into(),
        business: "feira-livre".into(),
        order: "o-1".into(),
        customer: "BR.1".into(),
        account: account(SHOP),
        amount: brl(10_000),
    };
    let expires = house::now() + 60_000;
    view(house.ask(&service(), Input::CreateIntent { intent, expires }, "k1").await);
    let ana = caller(PrincipalKind::Person, "ana", None, Role::Consumer);
    let payment = house::payment(2, ANA, SHOP, 10_000, "o-1");
    view(house.ask(&ana, Input::Submit { transfer: payment }, "k2").await);
    house.quiet().await;
    let row = async || {
        let row = house.store.get(&INTENTS, &intent_key("feira-livre", "o-1")).await.unwrap();
        IntentRow::from_row(row.unwrap()).unwrap()
    };
    let paid = row().await;
    assert_eq!((paid.state, paid.fee, paid.refunded), (IntentState::Captured, Some(399), 0));
    let shop = caller(PrincipalKind::Member, "rosa", Some("feira-livre"), Role::Admin);
    let refund = Input::Refund {
        intent: "o-1".into(),
        account: account(SHOP),
        refund: "r-1".into(),
        amount: None,
        reason: "x".into(),
    };
    view(house.ask(&shop, refund, "k3").await);
    house.quiet().await;
    assert_eq!((row().await.state, row().await.refunded), (IntentState::Refunded, 10_000));

    let ask = Input::RequestMoney {
        request: "q-1".into(),
        asker: account(ANA),
        payer: account(BIA),
        amount: brl(500),
        note: None,
        expires,
    };
    view(house.ask(&ana, ask, "k4").await);
    let bia = caller(PrincipalKind::Person, "bia", None, Role::Consumer);
    let approve = Input::ApproveRequest { request: "q-1".into(), payer: account(BIA) };
    assert_eq!(house.ask(&ana, approve.clone(), "k5").await, Answer::Forbidden);
    assert_eq!(view(house.ask(&bia, approve, "k5").await).request.unwrap().state, RequestState::Paying);
    house.quiet().await;
    for owner in ["person/ana", "person/bia"] {
        let rows = house.scan(&REQUESTS, &owner_key(owner)).await;
        assert_eq!(RequestRow::from_row(rows[0].clone()).unwrap().state, RequestState::Paid);
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_when_the_process_ends_is_finished_by_the_next_one() {
    let house = House::with(&[(ANA, 100_000), (BIA, 0)]).await;
    let ana = caller(PrincipalKind::Person, "ana", None, Role::Consumer);
    // Nobody carries them yet.
    let house = house.without_processes().await;
    for n in 0..15 {
        let input = Input::Submit { transfer: gift(n, ANA, BIA, 100) };
        view(house.ask(&ana, input, &format!("k{n}")).await);
    }
    let house = house.restart().await;
    house.quiet().await;
    // Asked again they are what they were.
    let again = Input::Submit { transfer: gift(3, ANA, BIA, 100) };
    assert_eq!(view(house.ask(&ana, again, "k3").await).transfer.unwrap().state, TransferState::Settled);
    let row = AccountRow::from_row(house.scan(&ACCOUNTS, &owner_key("person/bia")).await[0].clone()).unwrap();
    assert_eq!(row.balance.credits, 1_500);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_pay_each_other_at_once_make_and_lose_nothing() {
    let names: Vec<String> = (0..20).map(|n| format!("{}/person/p{n}", n % 2)).collect();
    let opened: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 10_000)).collect();
    let house = Arc::new(House::with(&opened).await);
    let senders: Vec<_> = (0..20)
        .map(|sender| {
            let (house, names) = (house.clone(), names.clone());
            tokio::spawn(async move {
                let person = caller(PrincipalKind::Person, &format!("p{sender}"), None, Role::Consumer);
                let mut accepted = 0;
                for n in 0..15 {
                    let to = &names[(sender + 1 + n * 7) % 20];
                    let transfer = gift((sender * 100 + n) as u64, &names[sender], to, 100 + 37 * n as i64);
                    let input = Input::Submit { transfer };
                    accepted += usize::from(matches!(
                        house.ask(&person, input, &format!("k{sender}-{n}")).await,
                        Answer::Accepted(_)
                    ));
                }
                accepted
            })
        })
        .collect();
    let mut accepted = 0;
    for sender in senders {
        accepted += sender.await.unwrap();
    }
    assert!(accepted > 200, "{accepted} transfers are too few to say anything");
    house.quiet().await;
    let (mut total, mut settled) = (0, 0);
    for name in &names {
        let owner = name.split_once('/').unwrap().1;
        let row = AccountRow::from_row(house.scan(&ACCOUNTS, &owner_key(owner)).await[0].clone()).unwrap();
        assert_eq!((row.balance.debits_held, row.balance.credits_held), (0, 0));
        assert!(row.balance.credits >= row.balance.debits);
        total += row.balance.credits - row.balance.debits;
        let rows = house.scan(&TRANSFERS, &owner_key(owner)).await;
        let mine = rows.into_iter().map(|row| TransferRow::from_row(row).unwrap());
        settled += mine.filter(|row| row.transfer.from == account(name)).count();
    }
    assert_eq!((total, settled), (20 * 10_000, accepted));
    Arc::into_inner(house).unwrap().stop().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
}
