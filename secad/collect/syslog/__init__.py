"""What syslog messages say: headers, the rules of phrases, files of one program, the journal."""
