"""Names as an attacker or an accident would choose them, and what the made results hold."""

HOSTILE = "<img src=x onerror=alert(1)>"
ESCAPING = "</script><script>alert(2)</script>"
METRICS = ("EN", "SD", "Nabf")
NAMES = ("a", "b", "c", "d", "e", "../../f", "<b>g</b>")
