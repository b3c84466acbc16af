module meshwork.leak

go 1.21

require (
	go.uber.org/goleak v1.3.0
	meshwork v0.0.0
)

replace meshwork => ../..
