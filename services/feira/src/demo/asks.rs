//! What the demo asks of GraphQL, word for word.

/// A mutation that answers whether it went through and, in `$also`, with more.
macro_rules! mutation {
    ($field:literal, $input:literal, $also:literal) => {
        Mutation {
            field: $field,
            text: concat!(
                "mutation($input: ",
                $input,
                "!) { ",
                $field,
                "(input: $input) { ",
                $also,
                " repeated position userErrors { code field message } } }"
            ),
        }
    };
}

/// A mutation: its field, and the whole request.
#[derive(Clone, Copy)]
pub struct Mutation {
    /// The field of the payload.
    pub field: &'static str,
    /// The request; its variable is `input`.
    pub text: &'static str,
}

pub const REGISTER: Mutation = mutation!("businessRegister", "BusinessRegisterInput", "version");
pub const MOVE_CLOCK: Mutation = mutation!("clockMove", "ClockMoveInput", "version");
pub const OPEN_SENDER: Mutation = mutation!("senderOpen", "SenderOpenInput", "version");
pub const CREATE_TEMPLATE: Mutation = mutation!("templateCreate", "TemplateCreateInput", "version");
pub const SET_STOCK: Mutation = mutation!("stockSet", "StockSetInput", "version");
pub const OPEN_ACCOUNT: Mutation =
    mutation!("accountOpen", "AccountOpenInput", "account { id available { amount currency } }");
pub const FUND: Mutation = mutation!("accountFund", "AccountFundInput", "account { id available { amount currency } }");
pub const WRITE: Mutation = mutation!("messageWrite", "MessageWriteInput", "message { id seq sentAt }");
pub const SEND: Mutation = mutation!("messageSend", "MessageSendInput", "message { id seq class category sentAt }");
pub const RECEIPT: Mutation = mutation!("messageReceipt", "MessageReceiptInput", "message { id status }");
pub const ADD: Mutation = mutation!("cartAddItem", "CartAddItemInput", "cart { subtotal { amount currency } }");
pub const CHECK_OUT: Mutation =
    mutation!("cartCheckout", "CartCheckoutInput", "order { id state total { amount currency } }");
pub const PAY: Mutation = mutation!("orderPay", "OrderPayInput", "transfer { id state }");
pub const SEND_MONEY: Mutation = mutation!("moneySend", "MoneySendInput", "transfer { id state }");
pub const ASK_MONEY: Mutation = mutation!("moneyRequest", "MoneyRequestInput", "request { id state }");
pub const GRANT: Mutation = mutation!("moneyRequestApprove", "MoneyRequestAnswerInput", "request { id state }");
pub const DRAFT: Mutation = mutation!("invoiceDraft", "InvoiceDraftInput", "invoice { period }");
pub const ISSUE: Mutation = mutation!(
    "invoiceIssue",
    "InvoiceIssueInput",
    "invoice { number period hash totals { currency charged carried due collected } \
     lines { id component class country category quantity unitPrice exact amount currency collected \
     explain { usage { lane seq } steps { finds how value } } } }"
);

/// An order, read by who ordered it.
pub const ORDER: &str = "query($business: String, $id: ID!) { order(business: $business, id: $id) { \
     id state paymentState total { amount currency } } }";
/// One's own account.
pub const ACCOUNT: &str = "query { account { id available { amount currency } } }";
/// The customer's thread with a business.
pub const THREAD: &str = "query($business: String) { thread(business: $business) { \
     customer messages(last: 100) { edges { node { id seq from kind class status sentAt } } } } }";
/// What a message that follows from an order would cost now.
pub const CLASS_NOW: &str = "query($business: String) { thread(business: $business) { classNow(category: UTILITY) } }";
/// A request for money.
pub const REQUEST: &str = "query($id: ID!) { moneyRequest(id: $id) { id state } }";
