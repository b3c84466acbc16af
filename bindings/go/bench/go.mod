module meshwork.bench

go 1.23

require (
	github.com/coder/websocket v1.8.12
	github.com/gorilla/websocket v1.5.3
	meshwork v0.0.0
)

replace meshwork => ..
