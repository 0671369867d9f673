"""Who comes in, and what they may: sign-in, sessions, the gate before every request, users and the audit log."""
