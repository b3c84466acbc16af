//! Counts words along with the other processes of this host: mesh [DEPLOYMENT [DIR]]
//! Each line it reads is counted by one of them, a line "all ..." by every one.
use meshwork::{Context, How, Kind, Node, Options};

fn main() -> meshwork::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let options = Options::node(&arguments.next().unwrap_or("words".into()));
    let context = Context::open(Options::context())?;
    // Whom a call finds first is the example's point, so it does not stay here.
    let node =
        Node::open(&context, options.set("dir", arguments.next().unwrap_or_default()).set("route.local_first", false))?;
    node.on(|event| match event.kind() {
        Kind::ServiceUp | Kind::ServiceDown => println!("others that serve {}: {}", event.topic(), event.code()),
        _ => (),
    })?;
    node.serve("words", Options::service(), |event| {
        if event.kind() == Kind::Request {
            let count = event.text().unwrap_or("").split_whitespace().count();
            let answer = format!("{count} words, says process {}", std::process::id());
            let _ = event.request().unwrap().reply(&answer); // refused only where nobody waits any more
        }
    })?;
    node.start().wait()?;
    println!("joined");
    for line in std::io::stdin().lines().map_while(Result::ok) {
        if let Some(line) = line.strip_prefix("all ") {
            let answers = node.broadcast("words.count", line, How::default()).wait()?;
            let (good, failed): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.said.is_ok());
            good.iter().flat_map(|a| &a.said).for_each(|m| println!("{}", String::from_utf8_lossy(m.body())));
            let why: Vec<_> = failed.iter().map(|a| format!("{} failed", a.member)).collect();
            println!("asked: {} {}", answers.len(), if why.is_empty() { "none failed".into() } else { why.join(", ") });
            continue;
        }
        match node.call("words.count", &line, How::default()).wait() {
            Ok(answer) => println!("{}", String::from_utf8_lossy(answer.body())),
            Err(error) => println!("{error}"),
        }
    }
    context.join().expect("no handler panics");
    Ok(())
}
