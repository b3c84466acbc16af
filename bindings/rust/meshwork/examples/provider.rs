//! An echo: provider [PORT]
use meshwork::{Context, Kind, Options, Provider};

fn main() -> meshwork::Result<()> {
    let port = std::env::args().nth(1).unwrap_or("8080".into());
    let options = Options::provider().set("host", "127.0.0.1").set("port", port);
    let context = Context::open(Options::context())?;
    let provider = Provider::open(&context, options.set("auth.parameters", r#"{"key":"SECRET_KEY"}"#))?;
    provider.on(|event| {
        if event.kind() == Kind::Message {
            let _ = event.peer().send(&event); // text as text; what is refused is told by WRITABLE
        }
    })?;
    provider.start().wait()?;
    println!("{}", provider.url()?);
    provider.closed().wait();
    Ok(())
}
