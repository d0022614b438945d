"""The call table's part that notes what callers said after the talk."""

from __future__ import annotations

from hotline.core.events import CallSurveyed, Source, SurveyBegan
from hotline.core.names import joined
from hotline.queue.calls.joinings import Joinings
from hotline.queue.calls.live_call import LiveCall
from hotline.queue.facts import Asked, Surveyed
from hotline.store.ledger import SurveyRecord


class Surveying(Joinings):
    """Surveys, one a call at the most, whichever source tells of them and however often."""

    def _ask(self, fact: Asked | Surveyed, source: Source) -> bool:
        """The caller is asked, or has been; False if there is no such call."""
        call = self._by_channel.get(fact.uniqueid)
        if call is None:
            return False
        if isinstance(fact, Asked):
            call.asked = True
            self._out.events.append(SurveyBegan(call.call_id, fact.at))
        elif call.survey is None:
            agent = self._routing.agent_with(fact.phone)
            call.survey = row = survey_of(call, fact, agent, self.node, source)
            self._out.surveys[call.call_id] = row
            self._out.events.append(
                CallSurveyed(call.call_id, fact.at, row.line, row.queue, row.agent, fact.outcome, fact.answer)
            )
        return True


def survey_of(call: LiveCall, fact: Surveyed, agent: str | None, node: str, source: Source) -> SurveyRecord:
    """The row of a survey.

    Args:
        call: whose caller was asked.
        fact: what came of it.
        agent: who left the caller; None where the exchange did not know: a caller put through to a queue.
            Then it was the agent of the newest wait that was answered.
        node: the exchange.
        source: who told.
    """
    answered = [one for one in call.entries if one.answered_at is not None and not one.enquiry]
    own = [one for one in answered if agent in (None, one.agent)] or answered
    entry = own[-1] if own else None
    return SurveyRecord(
        call_id=call.call_id,
        node=node,
        line=call.line,
        queue=entry.queue if entry else "",
        language=call.language,
        caller_lists=joined(call.caller_lists),
        agent=agent or (entry.agent if entry else None),
        asked_at=fact.asked_at,
        outcome=fact.outcome.value,
        answer=fact.answer,
        source=source.value,
    )
