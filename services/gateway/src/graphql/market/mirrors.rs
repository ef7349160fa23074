//! The enumerations of the log as clients see them.

/// An enumeration of the log, told again with what each of its values means.
macro_rules! mirror {
    ($(#[doc = $doc:literal])* $name:ident = $of:path, { $($(#[doc = $value_doc:literal])* $value:ident),+ $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(async_graphql::Enum, Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $($(#[doc = $value_doc])* $value,)+
        }

        impl From<$of> for $name {
            fn from(value: $of) -> Self {
                match value {
                    $(<$of>::$value => Self::$value,)+
                }
            }
        }
    };
}

mirror! {
    /// A side of a conversation.
    ConversationSide = feira_events::conversation::Side, {
        /// The customer.
        Customer,
        /// The business.
        Business,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// What kind of content a message has.
    MessageKind = feira_events::conversation::ContentKind, {
        /// Words.
        Text,
        /// A sign put to an earlier message.
        Reaction,
        /// A product.
        Product,
        /// Several products.
        ProductList,
        /// A template.
        Template,
        /// An order to be paid.
        OrderDetails,
        /// How an order stands.
        OrderStatus,
        /// Money asked for.
        MoneyRequest,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// How a message stands.
    MessageStatus = feira_commands::conversation::MessageStatus, {
        /// It was sent, or taken in.
        Sent,
        /// It came to the customer.
        Delivered,
        /// The customer has seen it.
        Read,
        /// It could not be delivered.
        Failed,
    }
}

mirror! {
    /// Whether the delivery of a message is charged.
    MessageClass = feira_events::conversation::Class, {
        /// It costs nothing.
        Free,
        /// It costs what the rate card says.
        Charged,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// What a message is for.
    MessageCategory = feira_events::conversation::Category, {
        /// Promotes.
        Marketing,
        /// Follows up on what the customer did.
        Utility,
        /// Proves who someone is.
        Authentication,
        /// Answers the customer.
        Service,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// How the payment of an order stands.
    PaymentState = feira_events::order::PaymentStatus, {
        /// Nobody was asked to pay yet.
        Unpaid,
        /// The customer is asked to pay.
        Pending,
        /// It is paid.
        Captured,
        /// Part of it was given back.
        PartiallyRefunded,
        /// All of it was given back.
        Refunded,
        /// It could not be paid, or not be given back.
        Failed,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// Where a transfer of money stands.
    TransferState = feira_commands::payments::TransferState, {
        /// Its money is held until the payee's side has decided.
        Reserved,
        /// It is paid.
        Settled,
        /// It was given back.
        Returned,
    }
}

mirror! {
    /// What a transfer of money is for.
    TransferPurpose = feira_events::payments::Purpose, {
        /// One person gives to another.
        Gift,
        /// A request is granted.
        Request,
        /// An order is paid.
        Order,
        /// A payment is given back.
        Refund,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// Where a request for money stands.
    MoneyRequestState = feira_events::payments::RequestState, {
        /// It waits for the one who is asked.
        Open,
        /// It was granted and its transfer is under way.
        Paying,
        /// It was paid.
        Paid,
        /// The one who was asked said no.
        Declined,
        /// The asker took it back.
        Withdrawn,
        /// Its time passed.
        Expired,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// What an invoice's line is for.
    InvoiceComponent = feira_events::billing::Component, {
        /// Messages that were delivered.
        Message,
        /// Fees of payments.
        PaymentFee,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// Whether what a line is for is charged.
    InvoiceClass = feira_events::billing::Class, {
        /// It costs nothing.
        Free,
        /// It costs what the rule says.
        Charged,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// What kind of messages a line is for.
    InvoiceCategory = feira_events::billing::Category, {
        /// Promote.
        Marketing,
        /// Follow up on what the customer did.
        Utility,
        /// Prove who someone is.
        Authentication,
        /// Answer the customer.
        Service,
        /// Written by a later release.
        Unknown,
    }
}

mirror! {
    /// What a step of an explanation finds.
    ExplainFinds = feira_commands::billing::Finds, {
        /// How many.
        Quantity,
        /// The price of one.
        UnitPrice,
        /// The exact sum.
        Exact,
        /// The sum in whole minor units.
        Amount,
        /// What rounding leaves over.
        Residual,
    }
}
