//! One of every event of payments.

use feira_events::Sealed;
use feira_events::payments::{
    AccountFunded, AccountOpened, Balance, Event, Intent, IntentCaptured, IntentClosed, IntentCreated, IntentRefunded,
    LimitUse, Posting, PostingKind, Purpose, RefundBegun, RefundFailed, RegimeResumed, RegimeSuspended, RequestMade,
    RequestMoved, RequestState, Transfer, TransferCancelAsked, TransferCredited, TransferDeclined, TransferReserved,
    TransferReturned, TransferSettled,
};
use feira_ids::AccountId;
use feira_money::Amount;

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn posting(debit: &str, credit: &str, minor: i64, kind: PostingKind) -> Posting {
    Posting { debit: account(debit), credit: account(credit), amount: brl(minor), kind }
}

fn balance(of: &str, [debits_held, debits, credits_held, credits]: [i64; 4]) -> Balance {
    let currency = "BRL".parse().unwrap();
    Balance { account: account(of), currency, debits_held, debits, credits_held, credits }
}

/// Every event once.
pub fn all() -> Vec<Event> {
    let id = || "0f1e2d3c4b5a69788796a5b4c3d2e1f0".into();
    let gift = Transfer {
        transfer: id(),
        from: account("2/person/ana"),
        to: account("0/person/bia"),
        amount: brl(1_000),
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: Some(Sealed::from_parts("platform/ana".into(), *b"twelve bytes", vec![0, 1, 2, 254, 255])),
        deadline: 1_764_104_430_000,
    };
    let paid = Transfer {
        to: account("0/biz/feira-livre"),
        amount: brl(10_000),
        purpose: Purpose::Order,
        subject: Some("o-1".into()),
        customer: Some("BR.1234".into()),
        note: None,
        ..gift.clone()
    };
    let limit = |change| LimitUse {
        rule: "sent-per-month".into(),
        account: account("2/person/ana"),
        window: 1_761_966_000_000,
        change,
        used: 3_000 + change,
    };
    let intent = || Intent {
        intent: "o-1".into(),
        business: "feira-livre".into(),
        order: "o-1".into(),
        customer: "BR.1234".into(),
        account: account("0/biz/feira-livre"),
        amount: brl(10_000),
    };
    let request = |state| RequestMoved {
        request: "q-1".into(),
        asker: account("2/person/ana"),
        payer: account("0/person/bia"),
        amount: brl(500),
        expires: 1_764_104_430_000,
        state,
        transfer: Some(id()),
        reason: Some("INSUFFICIENT_FUNDS".into()),
    };
    vec![
        Event::AccountOpened(AccountOpened {
            account: account("2/person/ana"),
            currency: "BRL".parse().unwrap(),
            regime: "BR-trial-2020".into(),
        }),
        Event::AccountFunded(AccountFunded {
            account: account("2/person/ana"),
            amount: brl(50_000),
            postings: vec![posting("2/ext/demo-BRL", "2/person/ana", 50_000, PostingKind::Moved)],
            balances: vec![balance("2/ext/demo-BRL", [0, 50_000, 0, 0]), balance("2/person/ana", [0, 0, 0, 50_000])],
        }),
        Event::TransferReserved(TransferReserved {
            transfer: gift.clone(),
            limits: vec![limit(1_000)],
            postings: vec![posting("2/person/ana", "2/x/0-BRL", 1_000, PostingKind::Held)],
            balances: vec![balance("2/person/ana", [1_000, 0, 0, 50_000]), balance("2/x/0-BRL", [0, 0, 1_000, 0])],
        }),
        Event::TransferCancelAsked(TransferCancelAsked {
            transfer: id(),
            from: account("2/person/ana"),
            to: account("0/person/bia"),
            reason: "EXPIRED".into(),
        }),
        Event::TransferSettled(TransferSettled {
            transfer: gift.clone(),
            limits: vec![],
            postings: vec![posting("2/person/ana", "2/x/0-BRL", 1_000, PostingKind::HeldMoved)],
            balances: vec![balance("2/person/ana", [0, 1_000, 0, 50_000]), balance("2/x/0-BRL", [0, 0, 0, 1_000])],
        }),
        Event::TransferReturned(TransferReturned {
            transfer: gift.clone(),
            reason: "PAYEE_UNKNOWN".into(),
            limits: vec![limit(-1_000)],
            postings: vec![posting("2/person/ana", "2/x/0-BRL", 1_000, PostingKind::HeldReturned)],
            balances: vec![balance("2/person/ana", [0, 0, 0, 50_000]), balance("2/x/0-BRL", [0; 4])],
        }),
        Event::TransferCredited(TransferCredited {
            transfer: paid.clone(),
            limits: vec![limit(1_000)],
            postings: vec![posting("0/x/2-BRL", "0/biz/feira-livre", 10_000, PostingKind::Moved)],
            balances: vec![balance("0/x/2-BRL", [0, 10_000, 0, 0]), balance("0/biz/feira-livre", [0, 0, 0, 10_000])],
        }),
        Event::TransferDeclined(TransferDeclined {
            transfer: id(),
            from: account("2/person/ana"),
            to: account("0/person/bia"),
            reason: "LIMIT_EXCEEDED".into(),
        }),
        Event::RequestMade(RequestMade {
            request: "q-1".into(),
            asker: account("2/person/ana"),
            payer: account("0/person/bia"),
            amount: brl(500),
            note: None,
            expires: 1_764_104_430_000,
        }),
        Event::RequestMoved(request(RequestState::Paying)),
        Event::IntentCreated(IntentCreated { intent: intent(), expires: 1_764_104_430_000, fee_bp: 399 }),
        Event::IntentCaptured(IntentCaptured {
            intent: intent(),
            transfer: paid.transfer,
            payer: paid.from,
            fee: brl(399),
            fee_micro: 3_990_000,
            fee_bp: 399,
            net: brl(9_601),
            postings: vec![posting("0/biz/feira-livre", "0/fee/merchant-BRL", 399, PostingKind::Moved)],
            balances: vec![
                balance("0/biz/feira-livre", [0, 399, 0, 10_000]),
                balance("0/fee/merchant-BRL", [0, 0, 0, 399]),
            ],
        }),
        Event::IntentClosed(IntentClosed { intent: intent(), reason: "EXPIRED".into() }),
        Event::RefundBegun(RefundBegun {
            intent: intent(),
            refund: "r-1".into(),
            amount: brl(3_333),
            transfer: id(),
            reason: "broken on the way".into(),
        }),
        Event::IntentRefunded(IntentRefunded {
            intent: intent(),
            refund: "r-1".into(),
            amount: brl(3_333),
            refunded: brl(3_333),
            fee_returned: brl(133),
            postings: vec![posting("0/fee/merchant-BRL", "0/biz/feira-livre", 133, PostingKind::Moved)],
            balances: vec![
                balance("0/fee/merchant-BRL", [0, 133, 0, 399]),
                balance("0/biz/feira-livre", [0, 3_732, 0, 10_133]),
            ],
        }),
        Event::RefundFailed(RefundFailed {
            intent: intent(),
            refund: "r-2".into(),
            amount: brl(100),
            reason: "PAYEE_CLOSED".into(),
        }),
        Event::RegimeSuspended(RegimeSuspended {
            regime: "BR-trial-2020".into(),
            reason: "the central bank asked for it".into(),
        }),
        Event::RegimeResumed(RegimeResumed { regime: "BR-trial-2020".into() }),
    ]
}
