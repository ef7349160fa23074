//! Feeds of products as long as real ones.

/// The SKU of product `number` of feed `feed`.
pub fn sku(feed: usize, number: usize) -> String {
    format!("BENCH-{feed}-{number:06}")
}

/// A feed of `rows` products.
pub fn feed(feed: usize, rows: usize) -> String {
    let mut text =
        String::from("id\ttitle\tdescription\tavailability\tcondition\tprice\tsale_price\tlink\timage_link\tbrand\n");
    for number in 0..rows {
        let (sku, price) = (sku(feed, number), 99 + number % 5_000);
        text.push_str(&format!(
            "{sku}\tHandwoven cotton kurta, size {}, colour {}\tA kurta for every day, washed once before it was sewn.\t\
             in stock\tnew\t{price}.00 INR\t{}.50 INR\thttps://shop.example/p/{sku}\thttps://shop.example/i/{sku}.jpg\t\
             Bazaar\n",
            number % 7,
            number % 31,
            price - 10
        ));
    }
    text
}
