//! DNS and multicast DNS messages (RFC 1035, RFC 6762).
