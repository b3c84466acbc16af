//! The gRPC service, without protoc: service Echo { rpc X(BytesValue) returns (BytesValue); }
use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let x = Method::builder()
        .name("x")
        .route_name("X")
        .input_type("Vec<u8>") // prost's name for BytesValue
        .output_type("Vec<u8>")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    Builder::new().compile(&[Service::builder().name("Echo").package("bench").method(x).build()]);
    println!("cargo:rerun-if-changed=build.rs");
}
