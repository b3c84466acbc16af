//! Uses one connection along with the other processes of this host: share [NAME [DIR]]
//! Each line it reads is a question, which the leader answers; who leads would hold the connection.
use meshwork::{Context, How, Kind, Options, Share};

fn main() -> meshwork::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let options = Options::share(&arguments.next().unwrap_or("upstream".into()));
    let context = Context::open(Options::context())?;
    // What is asked twice does no harm here, so it may be repeated when the leader dies.
    let share =
        Share::open(&context, options.set("dir", arguments.next().unwrap_or_default()).set("retry.safe", "ask"))?;
    share.on(|event| match event.kind() {
        Kind::Leader if event.leads() == Some(true) => println!("leads: epoch {}", event.id()), // connect upstream here
        Kind::Leader => println!("follows: epoch {}", event.id()), // and drop that connection here
        Kind::Request => {
            let answer = format!("{} says process {}", event.text().unwrap_or(""), std::process::id());
            let _ = event.request().unwrap().reply(&answer); // refused only where nobody waits any more
        }
        _ => (),
    })?;
    share.start().wait()?;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match share.call("ask", &line, How::default()).wait() {
            Ok(answer) => println!("{}", String::from_utf8_lossy(answer.body())),
            Err(error) => eprintln!("{line}: {error}"),
        }
    }
    context.join().expect("no handler panics");
    Ok(())
}
