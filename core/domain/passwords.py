"""What a new password has to be. A few plain rules, each said in words when it is broken."""

LEAST = 10
_LEAST_DIFFERENT = 5
_SHORTEST_LOGIN_PART = 6  # a login's beginning or end of this length makes a password guessable
_RUN = 5
_ROWS = ("0123456789012345", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
# Printed at every start of a demonstration, or on top of every list of stolen passwords.
_KNOWN = ("demo-2026", "password", "passw0rd", "admin123", "qwerty123", "caigou123", "zhengfucaigou")


def weaknesses(password: str, login: str, name: str = "") -> list[str]:
    """Sentences that say what is wrong with a new password; empty for a good one."""
    low = password.casefold()
    found = []
    if len(password) < LEAST:
        found.append(f"密码至少要 {LEAST} 个字符")
    if len(set(low)) < _LEAST_DIFFERENT:
        found.append("重复的字符太多")
    account = login.casefold()
    parts = {account, account[:_SHORTEST_LOGIN_PART], account[-_SHORTEST_LOGIN_PART:]}
    if any(len(part) >= _SHORTEST_LOGIN_PART and part in low for part in parts):
        found.append("密码里不能有账号")
    if len(name) > 1 and name.casefold() in low:
        found.append("密码里不能有姓名")
    if any(known in low for known in _KNOWN):
        found.append("这个密码人人都猜得到")
    if _mostly_runs(low):
        found.append("不能大部分是连着的字母、数字或键盘上的一排")
    return found


def _mostly_runs(low: str) -> bool:
    """Whether more than half of it is a run such as 12345, 54321 or qwert."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    inside: set[int] = set()
    for start in range(len(low) - _RUN + 1):
        if any(low[start : start + _RUN] in row for row in rows):
            inside.update(range(start, start + _RUN))
    return len(inside) * 2 > len(low)
