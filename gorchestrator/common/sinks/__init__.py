"""Where the log goes beside standard output: syslog and logstash, each by a thread of its own that nobody waits for."""
