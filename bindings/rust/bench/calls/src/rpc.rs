//! gRPC by tonic.
use crate::{Caller, Result, BODY};
use echo_client::EchoClient;
use echo_server::{Echo, EchoServer};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};

include!(concat!(env!("OUT_DIR"), "/bench.Echo.rs"));

struct Back;

#[tonic::async_trait]
impl Echo for Back {
    async fn x(&self, request: Request<Vec<u8>>) -> std::result::Result<Response<Vec<u8>>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("port {}", listener.local_addr()?.port());
    let incoming = TcpListenerStream::new(listener);
    Ok(Server::builder().tcp_nodelay(true).add_service(EchoServer::new(Back)).serve_with_incoming(incoming).await?)
}

pub async fn dial(port: u16) -> Result<impl Caller> {
    Ok(EchoClient::new(Channel::from_shared(format!("http://127.0.0.1:{port}"))?.connect().await?))
}

impl Caller for EchoClient<Channel> {
    async fn call(&mut self) -> Result<()> {
        self.x(BODY.as_bytes().to_vec()).await?;
        Ok(())
    }
}
