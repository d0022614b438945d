"""Walks through the pages against the practice server and keeps a picture of each: ``look.py URL FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

URL, OUT = sys.argv[1].rstrip("/"), Path(sys.argv[2])
TALK = [
    ("agent", "您好，12345热线，请问有什么可以帮您？"),
    ("caller", "你好，我在城东的健身房办了一张五年的卡，现在店关门了，钱不退。"),
    ("agent", "请问是哪一家健身房，在什么路上？"),
    ("caller", "人民路260号的，牌子还挂着，里面已经搬空了。"),
    ("agent", "好的，办卡的时间和金额您还记得吗？"),
    ("caller", "去年三月办的，四千八百块。"),
    ("caller", "打电话老板也不接。"),
    ("agent", "我记下了，请您保留合同和付款记录。"),
]


def post(path: str, body: Any) -> Any:
    """Tell the practice server."""
    return httpx.post(f"{URL}/dev/{path}", json=body).raise_for_status().json()


def require(holds: bool, what: str) -> None:
    """End here if a page is not as it should be."""
    if not holds:
        sys.exit(f"not so: {what}")


def do(name: str, *values: Any) -> Any:
    """Call a method of the pretend exchange."""
    return post("do", {"name": name, "with": list(values)})["result"]


def sign_in(page: Page, user: str) -> None:
    """Sign in with the keyboard alone."""
    page.goto(f"{URL}/login")
    page.get_by_test_id("login-user").wait_for()
    page.keyboard.type(user)
    page.keyboard.press("Tab")
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def speak(call: str, turns: list[tuple[str, str]], first: int = 1, start: float = 2.0) -> float:
    """Say the turns, final at once; returns the seconds reached."""
    for number, (side, text) in enumerate(turns, first):
        do("say", call, side, number, 1, text, True, start)
        start += 1 + len(text) * 0.22
    return start


def fill_history() -> None:
    """Some calls of the day."""
    lines = ["12345", "12315", "12333", "12329", "12345", "12348", "12345", "12369"]
    for index, line in enumerate(lines):
        path = ["消费维权", "预付卡"] if line == "12315" else []
        call = do(
            "arrive", {"line": line, "number": f"1395550{1000 + index}", "path": path, "agoSeconds": 90}
        )
        do("answer", call, "a1001", 83 - index)
        speak(call, TALK[:4])
        do("end", call)


def control(page: Page, shot: Callable[[str], None]) -> None:
    """Hold, enquiry, emergency, recording, note and nuisance, all by keys."""
    page.keyboard.press("Alt+T")
    page.get_by_test_id("target").first.wait_for()
    shot("control-transfer")
    page.keyboard.press("Escape")
    page.keyboard.press("F6")
    page.get_by_text("消防").wait_for()
    shot("control-emergency")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+C")
    page.get_by_test_id("target").first.wait_for()
    page.keyboard.type("1003")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    page.get_by_test_id("notice-consult").wait_for()
    page.keyboard.press("Alt+R")
    page.get_by_test_id("notice-recording").wait_for()
    page.keyboard.press("Alt+N")
    page.keyboard.type("健身房关门，卡费4800元，人民路260号")
    shot("control-consult")
    page.keyboard.press("Alt+B")
    page.get_by_test_id("notice-consult").wait_for(state="detached")
    page.wait_for_timeout(300)
    page.keyboard.press("Alt+R")
    page.wait_for_timeout(300)
    page.keyboard.press("Alt+M")
    page.wait_for_timeout(300)
    page.keyboard.press("Alt+H")
    page.get_by_test_id("notice-held").wait_for()
    for width, height in ((1024, 768), (1366, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        shot(f"control-{width}")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Alt+H")
    page.wait_for_timeout(300)
    page.keyboard.press("Alt+M")
    page.get_by_test_id("notice-muted").wait_for(state="detached")


def agent_pages(page: Page) -> None:
    """The agent's day: signed out, break, waiting, ringing, talking, gap, break of the line, the past."""

    def shot(name: str) -> None:
        page.wait_for_timeout(500)
        page.screenshot(path=OUT / f"{name}.png")

    fill_history()
    do("setState", "a1001", "signed_out")
    sign_in(page, "chen")
    page.get_by_test_id("history-item").first.wait_for()
    shot("agent-signed-out")
    page.keyboard.press("F2")
    page.locator("[data-testid=state][data-state=ready]").wait_for()
    page.keyboard.press("F9")
    shot("agent-pause-menu")
    page.keyboard.press("2")
    page.locator("[data-testid=state][data-state=paused]").wait_for()
    shot("agent-paused")
    page.keyboard.press("F8")
    for ago, line in ((42, "12345"), (20, "12345"), (8, "12333")):
        do("arrive", {"line": line, "agoSeconds": ago})
    shot("agent-ready")
    call = do(
        "arrive", {"line": "12315", "path": ["消费维权", "预付卡退费"], "agoSeconds": 7, "name": "老李"}
    )
    do("ring", call, "a1001")
    page.get_by_test_id("control-answer").wait_for()
    shot("agent-ringing")
    page.keyboard.press("Alt+A")
    page.locator("[data-testid=call][data-phase=talking]").wait_for()
    start = speak(call, TALK[:5])
    do("say", call, "caller", 6, 1, "去年三月", False, start)
    do("say", call, "caller", 6, 2, "去年三月办的四千", False, start)
    page.keyboard.press("F4")
    shot("agent-talking")
    control(page, shot)
    do("say", call, "caller", 6, 3, TALK[5][1], True, start)
    do("emit", "leg_lost", {"call_id": call, "side": "caller", "reason": "worker"})
    page.wait_for_timeout(1200)
    do("emit", "leg_tapped", {"call_id": call, "side": "caller", "engine": "vosk"})
    speak(call, TALK[6:], 7, start + 20)
    page.get_by_test_id("aside-more").click()
    page.get_by_test_id("earlier-own").click()
    page.get_by_test_id("history-item").nth(1).click()
    shot("agent-gap-history")
    page.keyboard.press("Escape")
    for number in range(20, 40):
        do(
            "say",
            call,
            "agent" if number % 3 else "caller",
            number,
            1,
            "请您稍等，我再确认一下。",
            True,
            number * 5,
        )
    page.get_by_test_id("transcript").hover()
    page.mouse.wheel(0, -700)
    page.wait_for_timeout(300)
    do("say", call, "caller", 60, 1, "好的，不着急。", True, 300)
    shot("agent-scrolled-up")
    page.get_by_test_id("newest").click()
    post("refuse", {"refuse": True})
    post("cut", {})
    page.wait_for_timeout(900)
    do("say", call, "agent", 61, 1, "这句话是断线期间说的。", True, 306)
    shot("agent-reconnecting")
    post("refuse", {"refuse": False})
    page.get_by_text("这句话是断线期间说的。").wait_for(timeout=20_000)
    require(page.get_by_text("这句话是断线期间说的。").count() == 1, "what was missed comes once")
    page.keyboard.press("F9")
    page.keyboard.press("2")
    page.keyboard.press("Alt+X")
    page.get_by_test_id("wrap-up").wait_for()
    shot("agent-wrap-up")
    page.keyboard.press("Shift+F8")
    page.wait_for_timeout(300)
    page.keyboard.press("Alt+W")
    page.get_by_test_id("wrap-up").wait_for(state="detached")
    shot("agent-ended")
    page.set_viewport_size({"width": 1280, "height": 800})
    shot("agent-1280")
    page.set_viewport_size({"width": 1920, "height": 1080})
    shot("agent-1920")
    page.get_by_test_id("language").click()
    page.set_viewport_size({"width": 1440, "height": 900})
    shot("agent-english")
    page.get_by_test_id("language").click()


def board_pages(page: Page) -> None:
    """The wallboard in calm and in trouble."""
    for line, offered in (("12345", 41), ("12315-gs", 9), ("12358", 4), ("12333", 17), ("12329", 8)):
        for number in range(offered):
            call = do("arrive", {"line": line, "agoSeconds": 20})
            if number % 13 == 7:
                do("end", call)
            else:
                do("answer", call, "a1012", 15 - number % 12 if number % 9 else 1)
                do("end", call)
    states = [
        "ready",
        "ready",
        "talking",
        "talking",
        "talking",
        "wrap_up",
        "paused",
        "ringing",
        "unreachable",
    ]
    for index, state in enumerate(states):
        do("setState", f"a{1001 + index}", state, "用餐" if state == "paused" else "")
    page.set_viewport_size({"width": 1920, "height": 1080})
    sign_in(page, "boss")
    page.get_by_test_id("floor").wait_for()
    page.goto(f"{URL}/wallboard")
    page.get_by_test_id("answer-rate").wait_for()
    page.wait_for_timeout(2500)
    page.screenshot(path=OUT / "board-1920.png")
    page.set_viewport_size({"width": 1366, "height": 768})
    page.wait_for_timeout(300)
    page.screenshot(path=OUT / "board-1366.png")
    scrolls = page.evaluate(
        "(page => page.scrollHeight > innerHeight || page.scrollWidth > innerWidth)(document.documentElement)"
    )
    require(not scrolls, "the wallboard fits its screen")
    bottom = "document.querySelector('[data-testid=agents-signed_out]').getBoundingClientRect().bottom"
    require(page.evaluate(f"{bottom} <= innerHeight"), "the last state of agents is on the wallboard")
    post("refuse", {"refuse": True})
    post("cut", {})
    page.wait_for_timeout(1200)
    page.screenshot(path=OUT / "board-stale.png")
    post("refuse", {"refuse": False})
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{URL}/wallboard/calls")
    call = do("arrive", {"line": "12345", "agoSeconds": 70})
    do("answer", call, "a1003", 60)
    speak(call, TALK)
    page.get_by_test_id("call-item").last.click()
    page.wait_for_timeout(600)
    page.screenshot(path=OUT / "calls.png")


def floor_pages(page: Page) -> None:
    """The supervisor's floor with two hundred agents; its menus, the text of a call, a caller moved."""
    do("crowd", 200, 60, 14)
    for severity, text in (
        ("critical", "12345 综合坐席：14 人排队，超过 10 人；请增派坐席或开启语音提示"),
        ("warning", "12333 劳动社保坐席：近 30 分钟接通率 91.20%，低于 95%"),
        ("warning", "李静 话后整理已超过 180 秒"),
    ):
        do(
            "raise",
            {
                "alert_id": text,
                "severity": severity,
                "kind": "waiting",
                "subject": "",
                "text": text,
                "text_en": text,
            },
        )
    page.goto(f"{URL}/board")
    page.get_by_test_id("floor-agent").nth(150).wait_for(state="attached")
    for width, height in ((1024, 768), (1366, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(1200)
        page.screenshot(path=OUT / f"floor-{width}.png")
    page.set_viewport_size({"width": 1366, "height": 768})
    row = page.locator("[data-testid=floor-call]").first
    row.focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("menu-item").first.wait_for()
    page.screenshot(path=OUT / "floor-menu.png")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+C")
    page.keyboard.type("通话")
    page.wait_for_timeout(300)
    page.get_by_test_id("floor-text").first.click()
    page.wait_for_timeout(300)
    page.screenshot(path=OUT / "floor-text.png")
    page.keyboard.press("Escape")
    page.get_by_test_id("floor-absent").click()
    page.wait_for_timeout(300)
    page.screenshot(path=OUT / "floor-absent.png")
    page.get_by_test_id("floor-absent").click()
    busy = page.evaluate(MEASURE)
    print(
        f"floor with 200 agents and 74 calls: {busy:.1f} ms of script a second, longest task seen by the page"
    )


def office_pages(page: Page) -> None:
    """History with a cell of the heat map and a figure explained, reports from draft to final, test calls."""
    page.set_viewport_size({"width": 1440, "height": 900})

    def shot(name: str) -> None:
        page.wait_for_timeout(600)  # charts move in
        page.screenshot(path=OUT / f"{name}.png")

    page.goto(f"{URL}/figures?measure=answer_rate&period=last_month")
    page.locator("[data-testid=chart][data-drawn=true]").wait_for()
    shot("figures")
    page.goto(f"{URL}/figures?show=heat&measure=offered&period=last_month")
    page.get_by_test_id("heat-cell").nth(10).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_test_id("heat-hours").wait_for()
    shot("figures-heat")
    page.get_by_test_id("heat-hours").get_by_test_id("figure").first.click()
    page.get_by_test_id("explain-row").first.wait_for()
    shot("figures-explain")

    page.goto(f"{URL}/reports")
    page.get_by_test_id("report").first.click()
    page.get_by_test_id("report-disagreements").wait_for()
    shot("reports")
    page.get_by_test_id("report-text-p.phone").fill("10月，热线接听27,453件，接通率94.83%。")
    page.get_by_test_id("report-save").click()
    page.get_by_test_id("report-restore-p.phone").wait_for()
    page.get_by_test_id("report-text-h.3").scroll_into_view_if_needed()
    shot("reports-edited")
    page.get_by_test_id("report-finish").click()
    shot("reports-question")
    page.locator("[open] [data-testid=confirm-yes]").click()
    page.locator("[data-testid=report-state][data-state=final]").wait_for()
    shot("reports-final")

    page.goto(f"{URL}/test-calls")
    page.get_by_test_id("trials-period").select_option("this_year")
    page.get_by_test_id("trial").first.wait_for()
    shot("test-calls")
    page.locator("[data-testid=trial][data-result=answered]").first.click()
    page.get_by_test_id("mark-menu").fill("12")
    page.get_by_test_id("mark-person").fill("9.5")
    shot("test-calls-sheet")
    page.get_by_test_id("trial-dial-plan").first.click()
    page.get_by_test_id("trial-dialling").wait_for()
    page.get_by_test_id("mark-save").scroll_into_view_if_needed()
    page.get_by_test_id("mark-menu").fill("9")
    page.get_by_test_id("mark-note").scroll_into_view_if_needed()
    shot("test-calls-marking")
    page.get_by_test_id("language").click()
    shot("test-calls-english")
    page.get_by_test_id("language").click()


MEASURE = """async () => {
  let blocked = 0
  const seen = new PerformanceObserver((list) => list.getEntries().forEach((e) => (blocked += e.duration)))
  seen.observe({ entryTypes: ['longtask'] })
  await new Promise((done) => setTimeout(done, 10000))
  return blocked / 10
}"""


def main() -> None:
    """Take every picture; fail on any error in the browser's console."""
    OUT.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{URL}/")
        page.get_by_test_id("login-user").wait_for()
        page.screenshot(path=OUT / "login.png")
        agent_pages(page)
        page.get_by_test_id("leave").click()
        page.locator("[open] [data-testid=confirm-yes]").click()
        page.wait_for_url("**/login**")
        board_pages(page)
        floor_pages(page)
        office_pages(page)
        browser.close()
    expected = ("401", "WebSocket", "ERR_")
    unexpected = [text for text in problems if not any(word in text for word in expected)]
    require(not unexpected, f"no errors in the console, but: {unexpected}")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"pictures in {OUT} after {time.monotonic() - started:.0f} s")
