"""A call centre that speaks AMI over TCP; it knows nothing of the rest of monitord.

20 agents and 4 supervisors (up to 2,000 and 900), 3 campaigns, two queues. Agents log in and out,
pause, take and make calls, hold and transfer them; supervisors do all that the shipped feature
codes allow, and what a site's own spies and programs do besides. Channels, bridges and queues
announce themselves with the events of Asterisk 22 or 16, held against recordings of both. It keeps
a log of what it did, the truth that a ledger can be compared with.

Not imitated: attended transfers, Local channels, and the Hangups that Asterisk withholds while a
spy on a prefix runs.
"""

from monitord.simulator.settings import Settings, User
from monitord.simulator.simulator import Simulator

__all__ = ["Settings", "Simulator", "User"]
