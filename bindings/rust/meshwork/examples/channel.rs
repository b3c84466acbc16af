//! Says what it reads in a channel of this host, and shows what the others say: channel [NAME [DIR]]
use meshwork::{Channel, Context, Kind, Options};

fn main() -> meshwork::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let options = Options::channel(&arguments.next().unwrap_or("talk".into()));
    let context = Context::open(Options::context())?;
    let channel = Channel::open(&context, options.set("dir", arguments.next().unwrap_or_default()))?;
    channel.on(|event| {
        if event.kind() == Kind::Message {
            println!("{}: {}", event.topic(), event.text().unwrap_or("(bytes)"));
        }
    })?;
    channel.subscribe(r"line\..*").detach(); // regular expressions, of the whole name
    channel.start().wait()?;
    println!("joined");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        channel.publish("line.read", &line)?;
    }
    context.join().expect("no handler panics"); // what was said is sent first
    Ok(())
}
