// A consumer: joins a provider, says that it is ready, prints the answer and
// leaves.
//
//	consumer [url]                (ws://127.0.0.1:8080/connect)
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"meshwork"
)

func main() {
	url := "ws://127.0.0.1:8080/connect"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	ctx := context.Background()
	mw, err := meshwork.Open(nil)
	if err != nil {
		log.Fatal(err)
	}
	consumer, err := mw.NewConsumer(meshwork.Options{
		"url":                    url,
		"parameters":             map[string]string{"key": "SECRET_KEY", "something1": "Some Value 1"},
		"reconnect.max_attempts": 10,
	})
	if err != nil {
		log.Fatal(err)
	}
	consumer.On(meshwork.Up, func(*meshwork.Event) { // after every reconnect, too
		fmt.Println("Successfully Connected To Provider! Ready For Work!")
		consumer.SendText("CONSUMER_READY")
	})
	consumer.On(meshwork.Down, func(e *meshwork.Event) { fmt.Println("lost:", e.Err(), "again in", e.ID, "ms") })
	if err := consumer.Start(ctx); errors.Is(err, meshwork.EAUTH) {
		log.Fatal("the provider does not know this key: ", err)
	} else if err != nil {
		log.Fatal("Failed To Connect To Provider! Reason: ", err)
	}
	m, err := consumer.Receive(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Provider Sent: %s\n", m.Body)
	mw.Shutdown(ctx)
}
