//! Echo servers to compare, one a run, for `meshwork bench` as load:
//!
//! ```sh
//! echo meshwork|tokio-tungstenite|fastwebsockets [PORT] [THREADS]
//! meshwork bench ws://127.0.0.1:9400/connect --connections 64 --in-flight 16
//! ```
//!
//! With one thread, the default, meshwork's handler runs on the context's thread and tokio is `current_thread`; with
//! more, meshwork has lanes of its own (`delivery=inline`) and tokio is `multi_thread`.
use fastwebsockets::{upgrade, FragmentCollector, OpCode, WebSocketError};
use futures_util::{future, StreamExt, TryStreamExt};
use http_body_util::Empty;
use hyper::{body::Bytes, body::Incoming, server::conn::http1, service::service_fn, Request, Response};
use hyper_util::rt::TokioIo;
use meshwork::{Context, Kind, Options, Provider};
use std::error::Error;
use tokio::net::{TcpListener, TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, absent: u16| arguments.get(at).map_or(Ok(absent), |text| text.parse());
    let (port, threads) = (number(1, 9400)?, number(2, 1)?);
    let mut runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_io().worker_threads(threads.into()).build()?;
    match arguments.first().map(String::as_str) {
        Some("meshwork") => with_meshwork(port, threads)?,
        Some("tokio-tungstenite") => runtime.block_on(listen(port, with_tungstenite))?,
        Some("fastwebsockets") => runtime.block_on(listen(port, with_fastwebsockets))?,
        _ => return Err("usage: echo meshwork|tokio-tungstenite|fastwebsockets [PORT] [THREADS]".into()),
    }
    Ok(())
}

fn with_meshwork(port: u16, threads: u16) -> meshwork::Result<()> {
    let lanes = |options: Options| match threads {
        1 => options,
        n => options.set("threads", n).set("delivery", "inline"),
    };
    let context = Context::open(lanes(Options::context()))?;
    let provider = Provider::open(&context, Options::provider().set("host", "127.0.0.1").set("port", port))?;
    provider.on(|event| {
        if event.kind() == Kind::Message {
            let _ = event.peer().send(&event);
        }
    })?;
    provider.start().wait()?;
    println!("listening");
    provider.closed().wait();
    Ok(())
}

/// Serves each connection in a task of its own.
async fn listen<F: std::future::Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static>(
    port: u16,
    serve: fn(TcpStream) -> F,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let _ = serve(stream).await; // a client that leaves is no news
        });
    }
}

async fn with_tungstenite(stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let (sink, messages) = tokio_tungstenite::accept_async(stream).await?.split();
    messages.try_filter(|m| future::ready(m.is_text() || m.is_binary())).forward(sink).await?;
    Ok(())
}

async fn with_fastwebsockets(stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(accept)).with_upgrades().await?;
    Ok(())
}

async fn accept(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, upgraded) = upgrade::upgrade(&mut request)?;
    tokio::spawn(echo(upgraded));
    Ok(response)
}

async fn echo(upgraded: upgrade::UpgradeFut) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => (),
        }
    }
}
