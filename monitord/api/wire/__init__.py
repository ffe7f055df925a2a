"""Every message of the stream and every JSON body of the HTTP API, typed once, by subject.

The page's TypeScript types are generated from these files (``make generate``).  All instants are
integer milliseconds UTC since 1970, all lengths integer milliseconds.

Other rooms say ``wire.Delta``: whatever a file of this package defines is had from the package.
"""

from __future__ import annotations

import msgspec

from monitord.api.wire.alerts import *
from monitord.api.wire.audit import *
from monitord.api.wire.balance import *
from monitord.api.wire.calls import *
from monitord.api.wire.coaching import *
from monitord.api.wire.disconnect import *
from monitord.api.wire.flags import *
from monitord.api.wire.history import *
from monitord.api.wire.never import *
from monitord.api.wire.privacy import *
from monitord.api.wire.problem import *
from monitord.api.wire.proposals import *
from monitord.api.wire.recordings import *
from monitord.api.wire.roster import *
from monitord.api.wire.scores import *
from monitord.api.wire.sessions import *
from monitord.api.wire.sheet import *
from monitord.api.wire.sign_in import *
from monitord.api.wire.stream import *
from monitord.api.wire.team import *
from monitord.api.wire.told import *
from monitord.api.wire.views import *

encode = msgspec.json.Encoder().encode
