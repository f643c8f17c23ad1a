//! Capture files down to transport payloads: containers, link layers, IP, tunnels.
