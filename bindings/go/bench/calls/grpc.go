package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type echoServer interface{}

// What protoc-gen-go-grpc writes of: service Echo { rpc X(BytesValue) returns (BytesValue); }
var echo = grpc.ServiceDesc{
	ServiceName: "Echo",
	HandlerType: (*echoServer)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "X",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			return in, decode(in)
		}}},
}

func serveGrpc() int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := grpc.NewServer()
	server.RegisterService(&echo, nil)
	go func() { check(server.Serve(listener)) }()
	return listener.Addr().(*net.TCPAddr).Port
}

func dialGrpc(port string) func(context.Context) error {
	conn, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	in := wrapperspb.Bytes(body)
	return func(ctx context.Context) error {
		return conn.Invoke(ctx, "/Echo/X", in, new(wrapperspb.BytesValue))
	}
}
