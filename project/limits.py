"""What a request may weigh, whatever it is for."""

LONGEST_BODY = 21 * 1024 * 1024  # bytes: a file of FILE_SIZE_LIMIT with its form, as docs/nginx.conf has it
