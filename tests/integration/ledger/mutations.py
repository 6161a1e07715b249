"""
Ways to break the scripts, each of which the machine, or the test that it names, must notice.
"""

from tests.integration.ledger.mutations_of_batches import BATCHES
from tests.integration.ledger.mutations_of_flow import ADMISSION, DESTINATION
from tests.integration.ledger.mutations_of_limits import LIMITS
from tests.integration.ledger.mutations_of_notices import NOTICES
from tests.integration.ledger.mutations_of_pace import PACE
from tests.integration.ledger.mutations_of_records import CLAIM, RECORDS
from tests.integration.ledger.mutations_of_scripts import SCRIPTS
from tests.integration.ledger.mutations_of_the_inventory import INVENTORY
from tests.integration.ledger.mutations_of_the_journal import JOURNAL
from tests.integration.ledger.mutations_of_the_service import SERVICE

MUTATIONS = (
    *(*CLAIM, *RECORDS, *DESTINATION, *ADMISSION, *SCRIPTS, *SERVICE),
    *(*JOURNAL, *INVENTORY, *LIMITS, *BATCHES, *PACE, *NOTICES),
)
