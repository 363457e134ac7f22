"""scikit-learn: every class of `sklearn.utils.all_estimators`."""

from tools.survey.cases import Entry
from tools.survey.tables.scikit_learn_models import MODELS
from tools.survey.tables.scikit_learn_rest import REST
from tools.survey.tables.scikit_learn_transformers import TRANSFORMERS

ENTRIES: tuple[Entry, ...] = (*MODELS, *TRANSFORMERS, *REST)
