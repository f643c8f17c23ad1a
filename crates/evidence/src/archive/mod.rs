//! Archives that other tools recorded: HAR, mitmproxy flow files.
