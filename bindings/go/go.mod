module meshwork

go 1.21
