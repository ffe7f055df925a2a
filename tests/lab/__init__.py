"""The lab: real Asterisk servers with sipp phones, for the tests and for trying monitord."""
