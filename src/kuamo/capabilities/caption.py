"""A picture to the sentence that describes it."""

from kuamo.capabilities.answer import look
from kuamo.contracts import Answer, ChatRequest, Message, Sampling
from kuamo.media.image import Image
from kuamo.messages import Language, say
from kuamo.runtime import Models
from kuamo.stream import Stream


def caption(image: Image, models: Models, language: Language) -> Answer:
    """Describe a picture as the `answer` model in force sees it: its likeliest words, no text read beforehand.

    Raises KuamoError no_model or no_model_for_language where none sees, and what the model raises.
    """
    asked = Message("user", say("prompt.caption", language), (image,))
    request = ChatRequest(messages=(asked,), language=language, sampling=Sampling(temperature=0))
    return Stream(look(request, models)).result()
