//! The two businesses of the demo and who shops there.

/// A business, its customers, and what they do in figures.
pub struct Shop {
    /// The business.
    pub tenant: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its country, and its customers'.
    pub country: &'static str,
    /// What it sells in.
    pub currency: &'static str,
    /// Its feed of products.
    pub feed: &'static str,
    /// Who buys, and a friend.
    pub people: [&'static str; 2],
    /// What is bought: product and units.
    pub bought: [(&'static str, i32); 2],
    /// What the buyer's wallet is funded with.
    pub funded: &'static str,
    /// What the customer writes first.
    pub hello: &'static str,
    /// What the business answers.
    pub welcome: &'static str,
    /// The words above the list of products.
    pub header: &'static str,
    /// The language of the template.
    pub language: &'static str,
    /// The template's text.
    pub template: &'static str,
    /// What its variables are filled with.
    pub variables: [&'static str; 1],
}

/// Both.
pub const SHOPS: [Shop; 2] = [
    Shop {
        tenant: "feira-livre",
        name: "Feira Livre",
        country: "BR",
        currency: "BRL",
        feed: include_str!("../../../../deploy/demo/feira-livre-sao-paulo.tsv"),
        people: ["ana", "bia"],
        bought: [("BAN-PRATA", 2), ("MAMAO-FORM", 1)],
        funded: "200.00",
        hello: "Oi! Tem banana hoje?",
        welcome: "Bom dia! Tem sim, fresquinha.",
        header: "Da feira de hoje",
        language: "pt_BR",
        template: "Seu pedido {{1}} chegou. Obrigado pela preferência!",
        variables: ["de frutas"],
    },
    Shop {
        tenant: "mumbai-bazaar",
        name: "Mumbai Bazaar",
        country: "IN",
        currency: "INR",
        feed: include_str!("../../../../deploy/demo/mumbai-bazaar.tsv"),
        people: ["asha", "ravi"],
        bought: [("CHAI-ASSAM", 2), ("HALDI", 1)],
        funded: "2000.00",
        hello: "Namaste! Is the Assam tea in stock?",
        welcome: "Namaste! Yes, a fresh batch came in today.",
        header: "Fresh today",
        language: "en_IN",
        template: "Your order {{1}} has arrived. Thank you for shopping with us!",
        variables: ["of tea"],
    },
];
