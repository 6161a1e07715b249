module example.net/receiver

go 1.19
