package lang

var english = &Rules{
	continuing: wordSet(`and or but nor to of in on at by for from with without into onto than as
	is are was were be been being has have had that which who whom whose because
	so if when while until unless where though although until between among about over under`),

	// "I" and names are not in it.
	lowered: wordSet(`the a an this that these those it its he she they we you his her their our your my
	there here what how why not no yes please then now just also only very some any all each every
	both few many more most other such one two three four five six seven eight nine ten
	do does did can could will would shall should may might must let
	and or but nor to of in on at by for from with without into onto than as
	is are was were be been being has have had which who whom whose because
	so if when while until unless where though although between among about over under before after`),

	// What recognisers that were trained on films say to noise.
	invented: words{
		"you": true, "thank you": true, "thanks for watching": true, "thank you for watching": true,
		"bye": true, "so": true, "okay": true, "oh": true, "uh": true, "um": true, "hmm": true, "mm": true,
	},
}
