"""What tests share: fakes of ports, builders of messages."""
