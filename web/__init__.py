"""Flask: chat, document pages, API, WeChat; translates HTTP and nothing else."""
