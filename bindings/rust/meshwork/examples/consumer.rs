//! Says hello and shows what comes back: consumer [URL]
use meshwork::{Consumer, Context, Kind, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> meshwork::Result<()> {
    let url = std::env::args().nth(1).unwrap_or("ws://127.0.0.1:8080/connect".into());
    let options = Options::consumer().set("url", url).set("parameters", r#"{"key":"SECRET_KEY"}"#);
    let context = Context::open(Options::context())?;
    let consumer = Consumer::open(&context, options)?;
    let mut events = consumer.events()?;
    consumer.start().await?;
    while let Some(event) = events.next().await {
        match event.kind() {
            Kind::Up => drop(consumer.send("hello")?), // after every reconnect, too
            Kind::Message => {
                println!("{}", event.text().unwrap_or("(bytes)"));
                consumer.close(1000, "bye")?;
            }
            _ => (),
        }
    }
    Ok(())
}
