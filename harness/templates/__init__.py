"""What `harness new` writes: files that run as they are. `my_thing` stands for the name that is asked for."""
