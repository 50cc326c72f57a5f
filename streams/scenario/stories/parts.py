"""What several stories share: a call from menu to agent, a declared answer at the end."""

from __future__ import annotations

from streams.scenario.scene import Scene

__all__ = ["answers_survey", "calls", "waits_in_queue"]


def calls(scene: Scene, **about: object) -> None:
    """Dial, and get through the voice menu into the queue's door."""
    scene.contact("phone", step="menu", **about)
    scene.say("ivr.enter")
    scene.pause(6, 20)
    scene.say("ivr.menu")
    scene.pause(4, 15)
    scene.say("ivr.exit", result="agent")


def waits_in_queue(
    scene: Scene, low_s: float, high_s: float, *, announced_s: float, queue: str = "service"
) -> None:
    """Wait, and be connected to an advisor."""
    scene.step("queue", queue=queue)
    scene.say("call.queued", announced_wait_s=announced_s)
    before = scene.now
    scene.pause(low_s, high_s)
    scene.step("talk", queue=queue, agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    scene.say("call.connected", wait_s=(scene.now - before) / 1000)


def answers_survey(scene: Scene, low: int, high: int, share: float = 0.4) -> None:
    """Some answer "made it easy for me to handle my issue", 1-7, high is easy."""
    if not scene.likely(share):
        return
    scene.pause(20, 90)
    scene.contact("survey", step="after")
    score = scene.chance.randint(low, high)
    scene.say("survey.response", metric="ces", version="2.0", scale="1-7", score=score)
