//! Bad behaviour to survive.
use meshwork::{Channel, Code, Connection, Consumer, Context, Error, Event, How, Kind, Options, Provider, Share};
use std::collections::HashSet;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Mutex};
use std::task::{Context as TaskContext, Wake, Waker};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn context() -> Context {
    Context::open(Options::context()).unwrap()
}

fn idle(context: &Context) -> Provider {
    Provider::open(context, Options::provider().set("host", "127.0.0.1").set("port", 0)).unwrap()
}

fn consumer(context: &Context, provider: &Provider) -> Consumer {
    Consumer::open(context, Options::consumer().set("url", provider.url().unwrap())).unwrap()
}

fn sender<T>() -> (Mutex<mpsc::Sender<T>>, mpsc::Receiver<T>) {
    let (tx, rx) = mpsc::channel();
    (Mutex::new(tx), rx)
}

#[test]
fn a_handler_that_panics_stops_nothing_and_is_told_by_join() {
    for options in [
        Options::context(),
        Options::context().set("threads", 1),
        Options::context().set("threads", 2).set("delivery", "inline"),
    ] {
        let context = Context::open(options).unwrap();
        let provider = idle(&context);
        let (came, messages) = sender();
        provider
            .on(move |event| {
                if event.kind() == Kind::Message {
                    let text = event.text().unwrap().to_string();
                    came.lock().unwrap().send(text.clone()).unwrap();
                    assert_ne!(text, "3", "a handler panics on purpose");
                }
            })
            .unwrap();
        provider.start().wait().unwrap();
        let consumer = consumer(&context, &provider);
        consumer.start().wait().unwrap();
        for i in 0..10 {
            consumer.send(&i.to_string()).unwrap();
        }
        let got: Vec<_> = (0..10).map(|_| messages.recv_timeout(PATIENCE).unwrap()).collect();
        assert_eq!(got, (0..10).map(|i| i.to_string()).collect::<Vec<_>>());
        let panic = context.join().unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().contains("on purpose"));
        context.join().unwrap(); // handed over once
    }
}

#[test]
fn dropped_without_close_is_closed() {
    let context = context();
    let provider = idle(&context);
    let (went, gone) = sender();
    provider
        .on(move |e| {
            if e.kind() == Kind::PeerDown {
                went.lock().unwrap().send(e.code()).unwrap()
            }
        })
        .unwrap();
    provider.start().wait().unwrap();
    let consumer = consumer(&context, &provider);
    consumer.start().wait().unwrap();
    let over = consumer.closed();
    drop(consumer);
    assert_eq!(gone.recv_timeout(PATIENCE).unwrap(), 1001);
    over.wait();
    let (over, end) = (provider.closed(), context.closed());
    drop(provider);
    drop(context);
    over.wait();
    end.wait();
}

#[test]
fn waiting_inside_a_handler_is_refused() {
    let context = context();
    let provider = Arc::new(idle(&context));
    let (said, answers) = sender();
    let (weak, inner) = (Arc::downgrade(&provider), context.clone());
    provider
        .on(move |event| {
            if event.kind() == Kind::Up {
                let provider = weak.upgrade().unwrap();
                let waited = provider.start().wait().unwrap_err().code();
                provider.closed().wait();
                let joined = inner.join().unwrap_err().downcast::<Error>().unwrap().code();
                said.lock().unwrap().send((waited, joined)).unwrap();
            }
        })
        .unwrap();
    provider.start().detach();
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap(), (Code::EDEADLOCK, Code::EDEADLOCK));
    context.join().unwrap();
}

#[test]
fn close_in_every_callback() {
    for when in [Kind::Up, Kind::PeerUp, Kind::Message, Kind::PeerDown, Kind::Closed] {
        let context = context();
        let (provider, inner) = (idle(&context), context.clone());
        let it = Connection::from_id(provider.id());
        let close = move |event: Event<'_>| {
            if event.kind() == when {
                let _ = (event.peer().close(4000, "me"), it.close(1000, "all"), inner.close(1000, ""));
                // in any state
            }
        };
        provider.on(close).unwrap();
        if when == Kind::Up {
            let _ = provider.start().wait(); // done, or cancelled by the close
        } else {
            provider.start().wait().unwrap();
            let consumer = consumer(&context, &provider);
            let me = Connection::from_id(consumer.id());
            let hear = move |event: Event<'_>| match event.kind() {
                Kind::Up if when == Kind::PeerDown => drop((me.send("x"), me.close(1000, ""))),
                Kind::Up if when == Kind::Closed => drop(it.close(1000, "")),
                Kind::Up => drop(me.send("x")),
                _ => drop(me.close(1000, "")),
            };
            consumer.on(hear).unwrap();
            consumer.start().detach();
            provider.closed().wait();
        }
        context.closed().wait();
        context.join().unwrap();
    }
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn cancelled_futures_in_thousands() {
    let context = context();
    let consumer = Consumer::open(
        &context,
        Options::consumer().set("host", "127.0.0.1").set("port", 1).set("reconnect.interval", "30s"),
    )
    .unwrap();
    let waker = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
    let before = resident();
    for round in 0..20 {
        let mut open: Vec<_> = (0..1000).map(|_| consumer.start()).collect();
        for operation in &mut open {
            assert!(Pin::new(operation).poll(&mut TaskContext::from_waker(&waker)).is_pending());
        }
        if round % 2 == 0 {
            open.iter().for_each(|o| o.cancel().unwrap());
            for operation in open {
                assert_eq!(operation.wait().unwrap_err().code(), Code::ECANCELED);
            }
        } else {
            drop(open);
        }
    }
    let last = consumer.start();
    consumer.close(1000, "").unwrap();
    assert_eq!(last.wait().unwrap_err().code(), Code::ECANCELED);
    context.join().unwrap();
    assert!(resident() < before + (64 << 20), "{before} -> {}", resident());
}

#[test]
fn two_contexts_and_contexts_on_several_threads() {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                let (one, two) = (context(), context());
                let provider = idle(&one);
                let (came, messages) = sender();
                let hear = move |e: Event<'_>| {
                    if e.kind() == Kind::Message {
                        came.lock().unwrap().send(e.text().unwrap().to_string()).unwrap();
                    }
                };
                provider.on(hear).unwrap();
                provider.start().wait().unwrap();
                let consumer = consumer(&two, &provider);
                consumer.start().wait().unwrap();
                consumer.send("across").unwrap();
                assert_eq!(messages.recv_timeout(PATIENCE).unwrap(), "across");
                two.join().unwrap();
                one.join().unwrap();
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
}

fn entries(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A process of its own, so that other tests do not count.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

fn cycle() {
    let context = context();
    let provider = idle(&context);
    provider.start().wait().unwrap();
    let consumer = consumer(&context, &provider);
    consumer.start().wait().unwrap();
    consumer.send("once").unwrap();
    context.join().unwrap();
}

/// Two members of a channel and of a share, one call answered, one not.
fn cycle_of_a_host() {
    let place = std::env::temp_dir().join(format!("meshwork-rust-{}", std::process::id()));
    let context = context();
    let channel = || Channel::open(&context, Options::channel("A").set("dir", place.display())).unwrap();
    let (speaks, hears) = (channel(), channel());
    let events = hears.events().unwrap();
    hears.subscribe(".*").detach();
    speaks.start().wait().unwrap();
    hears.start().wait().unwrap();
    speaks.publish("e", "once").unwrap();
    assert_eq!(events.blocking().find(|e| e.kind() == Kind::Message).unwrap().text(), Some("once"));
    let share = || {
        let share = Share::open(&context, Options::share("S").set("dir", place.display())).unwrap();
        share
            .on(|e| {
                if e.kind() == Kind::Request && e.topic() == "get" {
                    e.request().unwrap().reply("got").unwrap(); // the rest waits for ever
                }
            })
            .unwrap();
        share.start().wait().unwrap();
        share
    };
    let (_leads, follows) = (share(), share());
    follows.call("wait", "", How::default()).detach();
    assert_eq!(follows.call("get", "", How::default()).wait().unwrap().body(), b"got");
    context.join().unwrap();
}

/// As many as MW_CYCLES says, of a host a tenth.
#[test]
fn cycles_leave_nothing() {
    let many: usize = std::env::var("MW_CYCLES").map_or(10_000, |n| n.parse().unwrap());
    for (test, cycles) in [("cycles_in_a_process_of_their_own", many), ("host_in_a_process_of_its_own", many / 10)] {
        assert!(child(test).env("MW_CYCLES", cycles.to_string()).status().unwrap().success(), "{test}");
    }
}

#[test]
#[ignore = "run by cycles_leave_nothing"]
fn cycles_in_a_process_of_their_own() {
    leave_nothing(cycle);
}

#[test]
#[ignore = "run by cycles_leave_nothing"]
fn host_in_a_process_of_its_own() {
    leave_nothing(cycle_of_a_host);
    let place = std::env::temp_dir().join(format!("meshwork-rust-{}", std::process::id()));
    assert!(std::fs::read_dir(&place).unwrap().count() < 5, "files are left");
    std::fs::remove_dir_all(place).unwrap();
}

fn leave_nothing(cycle: fn()) {
    let cycles: usize = std::env::var("MW_CYCLES").unwrap().parse().unwrap();
    (0..cycles / 20).for_each(|_| cycle());
    let (fds, threads, memory) = (entries("fd"), entries("task"), resident());
    (0..cycles).for_each(|_| cycle());
    let until = Instant::now() + PATIENCE; // a joined thread stands in /proc a moment longer
    while entries("task") > threads && Instant::now() < until {
        std::thread::yield_now();
    }
    assert_eq!((entries("fd"), entries("task")), (fds, threads));
    assert!(resident() < memory + (8 << 20), "{memory} -> {} bytes", resident());
}

#[test]
fn a_million_messages_leave_nothing() {
    let code = child("a_million_messages_in_a_process_of_their_own").status().unwrap();
    assert!(code.success(), "{code}");
}

#[test]
#[ignore = "run by a_million_messages_leave_nothing"]
fn a_million_messages_in_a_process_of_their_own() {
    const COUNT: usize = 1_000_000;
    let context = context();
    let provider = idle(&context);
    let (told, counts) = sender();
    let seen = AtomicUsize::new(0);
    provider
        .on(move |e| {
            if e.kind() == Kind::Message && (seen.fetch_add(1, Ordering::Relaxed) + 1) % (COUNT / 10) == 0 {
                told.lock().unwrap().send(resident()).unwrap();
            }
        })
        .unwrap();
    provider.start().wait().unwrap();
    let consumer = consumer(&context, &provider);
    let (room, has_room) = sender();
    consumer
        .on(move |e| {
            if e.kind() == Kind::Writable {
                let _ = room.lock().unwrap().send(());
            }
        })
        .unwrap();
    consumer.start().wait().unwrap();
    for i in 0..COUNT {
        while let Err(e) = consumer.send(&i.to_le_bytes()) {
            assert_eq!(e.code(), Code::EAGAIN);
            has_room.recv_timeout(PATIENCE).expect("WRITABLE follows");
        }
    }
    let sizes: Vec<_> = (0..10).map(|_| counts.recv_timeout(PATIENCE).unwrap()).collect();
    assert!(sizes[9] < sizes[1] + (12 << 20), "{sizes:?}");
}

#[test]
fn exit_with_everything_open() {
    for how in ["return", "exit", "signal"] {
        let mut running = child("everything_open_at_exit").env("MW_EXIT", how).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        lines.find(|line| line.ends_with("all is open")).expect("it starts and works");
        let began = Instant::now();
        if how == "signal" {
            assert!(Command::new("kill").arg(running.id().to_string()).status().unwrap().success());
        }
        let code = running.wait().unwrap();
        assert_eq!(
            (code.code(), code.signal()),
            if how == "signal" { (None, Some(15)) } else { (Some(0), None) },
            "{how}"
        );
        assert!(began.elapsed() < Duration::from_secs(1), "{how}: {:?}", began.elapsed());
    }
}

#[test]
#[ignore = "run by exit_with_everything_open"]
fn everything_open_at_exit() {
    let mut seen = HashSet::new();
    for options in [Options::context(), Options::context().set("threads", 2)] {
        let context = Context::open(options).unwrap();
        let provider = idle(&context);
        provider.on(|e| drop(e.peer().send("x"))).unwrap();
        provider.start().wait().unwrap();
        let consumer = consumer(&context, &provider);
        let events = consumer.events().unwrap();
        consumer.start().wait().unwrap();
        seen.insert(provider.id());
        std::mem::forget((consumer.start(), events, consumer, provider, context));
    }
    assert_eq!(seen.len(), 2);
    let open = Instant::now();
    std::thread::spawn(move || {
        std::thread::park_timeout(PATIENCE);
        eprintln!("still here after {:?}", open.elapsed());
        std::process::abort();
    });
    println!("all is open");
    match std::env::var("MW_EXIT").as_deref() {
        Ok("exit") => std::process::exit(0),
        Ok("signal") => std::thread::park(), // the library blocks signals in its threads only: this one is hit
        _ => (),
    }
}
