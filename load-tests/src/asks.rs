//! What the scenarios ask of GraphQL.

pub const REGISTER: &str =
    "mutation($input: BusinessRegisterInput!) { businessRegister(input: $input) { userErrors { code } } }";
pub const OPEN_SENDER: &str =
    "mutation($input: SenderOpenInput!) { senderOpen(input: $input) { userErrors { code } } }";
pub const PUT: &str = "mutation($input: ProductPutInput!) { productPut(input: $input) { userErrors { code } } }";
pub const SET_STOCK: &str = "mutation($input: StockSetInput!) { stockSet(input: $input) { userErrors { code } } }";
pub const OPEN_ACCOUNT: &str =
    "mutation($input: AccountOpenInput!) { accountOpen(input: $input) { account { id } userErrors { code } } }";
pub const FUND: &str = "mutation($input: AccountFundInput!) { accountFund(input: $input) { userErrors { code } } }";
pub const WRITE: &str =
    "mutation($input: MessageWriteInput!) { messageWrite(input: $input) { message { id } userErrors { code } } }";
pub const SEND: &str =
    "mutation($input: MessageSendInput!) { messageSend(input: $input) { message { id } userErrors { code } } }";
pub const RECEIPT: &str =
    "mutation($input: MessageReceiptInput!) { messageReceipt(input: $input) { userErrors { code } } }";
pub const ADD: &str = "mutation($input: CartAddItemInput!) { cartAddItem(input: $input) { userErrors { code } } }";
pub const CHECK_OUT: &str =
    "mutation($input: CartCheckoutInput!) { cartCheckout(input: $input) { order { id } userErrors { code } } }";
pub const PAY: &str = "mutation($input: OrderPayInput!) { orderPay(input: $input) { userErrors { code } } }";
pub const THREAD: &str = "query($business: String) { thread(business: $business) { customer } }";
pub const ORDER: &str = "query($business: String, $id: ID!) { order(business: $business, id: $id) { state } }";
pub const ACCOUNT: &str = "query { account { id } }";
